// The processes of cgroups. Private to src/linux/cgroup/.
#pragma once

#include <string>
#include <vector>

#include "src/base/result.h"

namespace ocirt::cgroup {

// The processes of the directory and of those below it, ascending. A directory that is gone has
// none.
Result<std::vector<pid_t>> processes_below(const std::string& directory);

// Sends `signal` to the processes of the directory and of those below it. A pid is only trusted
// when it is listed both before and after its pidfd was opened: it may otherwise have passed on to
// a stranger.
Result<> signal_below(const std::string& directory, int signal);

// Waits until the processes that are there now have ended, at most until `deadline`
// (monotonic_ms()). False when the time is over.
Result<bool> wait_for_processes(const std::string& directory, int64_t deadline);

}  // namespace ocirt::cgroup
