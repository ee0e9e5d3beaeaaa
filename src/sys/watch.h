// Waiting for several descriptors at once, and the counters (eventfd(2)) through which cgroup v1
// reports events.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace ocirt::sys {

// A descriptor to wait for. An invalid one is never ready.
struct Watched {
  Fd fd;
  bool control_file = false;  // a change of the file counts (POLLPRI), it is always readable
  bool for_room = false;      // room to write to it counts (POLLOUT)
  bool ready = false;         // the answer
};

// Waits until one is ready, at most `timeout_ms` milliseconds, -1 for ever. A signal ends the
// waiting as well, with nothing ready.
Result<> wait_for_any(std::span<Watched> watched, int timeout_ms);

// eventfd(2) with a count of 0.
Result<UniqueFd> event_counter();
// The count, which becomes 0.
Result<uint64_t> take_count(Fd counter);

// Readable after each change of a file that the kernel announces (inotify(7)); does not wait.
Result<UniqueFd> watch_changes(const std::string& path);
// The same of each time that somebody opens it.
Result<UniqueFd> watch_opens(const std::string& path);
// Takes whatever is to be read from it.
Result<> drain(Fd changes);

}  // namespace ocirt::sys
