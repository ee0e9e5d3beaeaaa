// `kill`: a signal to the container's init, or to all of its processes (runtime.md, "Kill").
#pragma once

#include <string>

#include "src/base/result.h"
#include "src/container/store.h"

namespace ocirt::container {

// Sends `signal` (1 to 64) to init; `all`: to every process of the container instead, also when
// init has ended and others have not. Works on created, running and paused containers.
//
// SIGKILL is special. In a container that shares its pid namespace, init's end does not end the
// others, so it goes to all of them (runc does the same; kubelet counts on it for shared pid
// namespaces). And it acts on a paused container too, which takes a thaw on cgroup v1.
//
// Errors: a stopped container is `container not running`, unless `all`; engines look for these
// words.
Result<> kill(const Store& store, const std::string& id, int signal, bool all);

}  // namespace ocirt::container
