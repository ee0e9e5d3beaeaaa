// The first process of a pid namespace that several containers share. It does what only that
// process can: it exists, since the namespace ends with it, and it reaps orphans. It can be seen
// from the containers, so it has nothing: an empty root, no capabilities, no descriptors, "pause"
// in place of our command line, and nobody without rights over the host may trace it or follow its
// links in /proc.
#pragma once

#include <sys/types.h>

#include <string>

#include "src/base/closure.h"
#include "src/base/result.h"

namespace ocirt::sys {

// Makes a pid namespace and its first process. The caller's further children are in the namespace
// too. `empty` is a directory over which its root is mounted, in its own mount namespace. `claim`
// gets its pid here, and has to write down by what it will be found again: from then on it outlives
// its parent. When that fails, or its parent is killed before, it ends.
Result<> start_first_process(const std::string& empty, Closure<Result<>(pid_t)> claim);

}  // namespace ocirt::sys
