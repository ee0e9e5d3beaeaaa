#include "src/sys/lock.h"

#include <sys/file.h>
#include <sys/time.h>

#include <cerrno>
#include <csignal>

#include "src/base/text.h"
#include "src/sys/clock.h"
#include "src/sys/control_file.h"
#include "src/sys/retry.h"

namespace ocirt::sys {
namespace {

void wake(int) {}

itimerval every(int first_ms, int then_ms) {
  auto time = [](int ms) { return timeval{ms / 1000, (ms % 1000) * 1000L}; };
  return {.it_interval = time(then_ms), .it_value = time(first_ms)};
}

// SIGALRM interrupts what this thread waits for, for as long as this lives; from the end of the
// time on it comes again and again, since the first one may be early for the wait. Other signals
// are as they were.
class Alarm {
 public:
  explicit Alarm(int timeout_ms) {
    struct sigaction action{};
    action.sa_handler = wake;  // without SA_RESTART
    ::sigaction(SIGALRM, &action, &handler_before_);
    sigset_t alarm;
    ::sigemptyset(&alarm);
    ::sigaddset(&alarm, SIGALRM);
    ::sigprocmask(SIG_UNBLOCK, &alarm, &mask_before_);
    constexpr int kAgainMs = 20;
    const itimerval timer = every(timeout_ms, kAgainMs);
    ::setitimer(ITIMER_REAL, &timer, &timer_before_);
  }
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;
  ~Alarm() {
    ::setitimer(ITIMER_REAL, &timer_before_, nullptr);
    ::sigprocmask(SIG_SETMASK, &mask_before_, nullptr);
    ::sigaction(SIGALRM, &handler_before_, nullptr);
  }

 private:
  struct sigaction handler_before_{};
  sigset_t mask_before_{};
  itimerval timer_before_{};
};

}  // namespace

Result<bool> lock_within(Fd fd, std::string_view name, int timeout_ms) {
  if (retry([&] { return ::flock(fd.raw(), LOCK_EX | LOCK_NB); }) == 0) return true;
  if (errno != EWOULDBLOCK) return os_error(cat("lock ", name), errno);
  if (timeout_ms <= 0) return false;
  const int64_t end = monotonic_ms() + timeout_ms;
  const Alarm alarm(timeout_ms);
  while (::flock(fd.raw(), LOCK_EX) != 0) {
    if (errno != EINTR) return os_error(cat("lock ", name), errno);
    if (monotonic_ms() >= end) return false;
  }
  return true;
}

}  // namespace ocirt::sys
