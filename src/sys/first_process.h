// The first process of a pid namespace that several containers share. It does what only that
// process can: it exists, since the namespace ends with it, and it reaps orphans. It can be seen
// from the containers, so it has nothing: an empty root, no capabilities, no descriptors, "pause"
// in place of our command line, and nobody without rights over the host may trace it or follow its
// links in /proc. Also one that only stands for other namespaces, at /proc/PID/ns.
#pragma once

#include <sys/types.h>

#include <string>

#include "src/base/closure.h"
#include "src/base/result.h"

namespace ocirt::sys {

struct FirstProcess {
  std::string empty;  // a directory over which its root is mounted, in its own mount namespace
  // The caller's further children are in the namespace too.
  bool makes_pid_namespace = true;
  // It takes user and group 0 of the user namespace in which the caller is.
  bool becomes_root = false;
};

// Makes it. `claim` gets its pid here, and has to write down by what it will be found again: from
// then on it outlives its parent. When that fails, or its parent is killed before, it ends.
Result<> start_first_process(const FirstProcess& kind, Closure<Result<>(pid_t)> claim);

}  // namespace ocirt::sys
