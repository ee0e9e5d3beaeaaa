// flock(2) with a limit to the wait, which the call itself does not know: whoever holds the lock
// may be stopped, or wait for something that never comes. sys/file.h has the one without.
#pragma once

#include <string_view>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace ocirt::sys {

// False when others still hold it after so many milliseconds. It waits in the kernel, in turn with
// others, and SIGALRM (setitimer(2)) ends that: for programs of one thread.
Result<bool> lock_within(Fd fd, std::string_view name, int timeout_ms);

}  // namespace ocirt::sys
