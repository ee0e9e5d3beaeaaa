#include "src/sys/clock.h"

#include <sys/syscall.h>
#include <unistd.h>

namespace ocirt::sys {

timespec clock_now(clockid_t clock) {
  timespec now{};
  ::syscall(SYS_clock_gettime, clock, &now);
  return now;
}

int64_t monotonic_ms() {
  const timespec now = clock_now(CLOCK_MONOTONIC);
  return now.tv_sec * int64_t{1000} + now.tv_nsec / 1000000;
}

}  // namespace ocirt::sys
