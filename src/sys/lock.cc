#include "src/sys/lock.h"

#include <poll.h>
#include <sys/file.h>

#include <cerrno>

#include "src/base/text.h"
#include "src/sys/retry.h"

namespace ocirt::sys {

Result<bool> lock_within(Fd fd, std::string_view name, int timeout_ms) {
  constexpr int kLongestPauseMs = 16;
  for (int pause = 1, waited = 0;;) {
    if (retry([&] { return ::flock(fd.raw(), LOCK_EX | LOCK_NB); }) == 0) return true;
    if (errno != EWOULDBLOCK) return os_error(cat("lock ", name), errno);
    if (waited >= timeout_ms) return false;
    (void)::poll(nullptr, 0, pause);
    waited += pause;
    pause = pause < kLongestPauseMs ? pause * 2 : kLongestPauseMs;
  }
}

}  // namespace ocirt::sys
