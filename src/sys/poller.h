// epoll(7): waits for any of a changing set of descriptors. Each is registered with a number that
// comes back with what has happened to it.
#pragma once

#include <cstdint>
#include <span>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace ocirt::sys {

// Bits of what is waited for, and of what has happened.
enum : uint32_t {
  kReadable = 1,
  kWritable = 2,
  kUrgent = 4,   // EPOLLPRI: files of cgroupfs that have changed
  kHangUp = 8,   // the other side is gone, or an error; always reported
};

struct Happened {
  uint64_t token = 0;
  uint32_t what = 0;
};

class Poller {
 public:
  static Result<Poller> open();
  Result<> add(Fd fd, uint32_t what, uint64_t token);
  Result<> change(Fd fd, uint32_t what, uint64_t token);
  void remove(Fd fd);
  // Waits at most `timeout_ms` (-1: for ever) and returns what has happened; none: the time is over.
  Result<std::span<Happened>> wait(std::span<Happened> room, int64_t timeout_ms);

 private:
  UniqueFd fd_;
};

// CLOCK_BOOTTIME in milliseconds: also what passes while the machine sleeps.
int64_t now_ms();

}  // namespace ocirt::sys
