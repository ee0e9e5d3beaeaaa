// `exec`: one more process in a running container.
#pragma once

#include "src/base/result.h"
#include "src/container/options.h"
#include "src/container/store.h"

namespace ocirt::container {

// Starts the process in the container's namespaces and cgroups, with its seccomp filter. Returns
// when it has ended, with its exit status or 128 plus its signal; detached: 0 once it runs. The pid
// file is written before. `started`: where its pid is left once it runs.
Result<int> exec(const Store& store, const GlobalOptions& global, const ExecOptions& options,
                 pid_t* started = nullptr);

}  // namespace ocirt::container
