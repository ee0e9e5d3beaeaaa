// The heart of a program that serves: waits for descriptors and points in time, and calls who asked
// for them, one after the other, in one thread. Signals and ends of processes come as descriptors
// too (SignalInbox, pidfd_open), so there is nothing else to wait for, and nothing is ever polled.
//
// The order is fixed: of what is ready at the same time, the oldest watch comes first, and timers
// come after the descriptors, so that an answer that arrives with its deadline is still heard. A
// callback may remove any watch or timer, its own too; what has been removed is not called any
// more, also when its event had been read from the kernel already.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "src/base/callback.h"
#include "src/base/fd.h"
#include "src/base/result.h"

namespace ocirt::sys {

using Nanoseconds = std::chrono::nanoseconds;

// Time since the machine was booted, without the time that it slept (CLOCK_MONOTONIC).
Nanoseconds monotonic_now();
// The same with the time that it slept (CLOCK_BOOTTIME).
Nanoseconds boot_now();
// Time since 1970 (CLOCK_REALTIME).
Nanoseconds wall_now();

// What a descriptor is waited for, and what it has become. kGone needs not be asked for: the other
// end is closed, or there is an error to be read.
inline constexpr unsigned kReadable = 1, kWritable = 2, kGone = 4;

class EventLoop;

// A descriptor that is being waited for, until this is destroyed. It must be destroyed before the
// descriptor is closed and before the loop.
class [[nodiscard]] Watch {
 public:
  Watch() = default;  // watches nothing
  Watch(Watch&& other) noexcept
      : loop_(std::exchange(other.loop_, nullptr)), fd_(other.fd_), slot_(other.slot_) {}
  Watch& operator=(Watch&& other) noexcept;
  ~Watch() { reset(); }

  explicit operator bool() const { return loop_ != nullptr; }
  // Waits for something else from now on; 0 waits for kGone only.
  Result<> change(unsigned interest);
  void reset();

 private:
  friend EventLoop;
  Watch(EventLoop& loop, Fd fd, uint32_t slot) : loop_(&loop), fd_(fd), slot_(slot) {}
  EventLoop* loop_ = nullptr;
  Fd fd_;
  uint32_t slot_ = 0;
};

// Calls once, at a point in time. Starting it again moves that point.
class Timer {
 public:
  Timer(EventLoop& loop, Callback<> call) : loop_(loop), call_(call) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { cancel(); }

  void start(Nanoseconds from_now);
  void cancel();
  bool is_running() const { return running_; }

 private:
  friend EventLoop;
  EventLoop& loop_;
  Callback<> call_;
  Nanoseconds deadline_{};
  uint64_t order_ = 0;
  bool running_ = false;
};

class EventLoop {
 public:
  static Result<std::unique_ptr<EventLoop>> open();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Calls `call` with what the descriptor has become, each time that the loop finds it so (level
  // triggered). Code EPERM for regular files, which are always ready.
  Result<Watch> watch(Fd fd, unsigned interest, Callback<unsigned> call);

  // Turns until stop() has been called.
  Result<> run();
  // Waits until something is due, at most `longest` (negative: for ever), and calls all of it.
  Result<> turn(Nanoseconds longest = Nanoseconds(-1));
  // Ends run() after the current turn.
  void stop() { stopped_ = true; }

 private:
  friend Watch;
  friend Timer;
  struct Slot {
    Callback<unsigned> call;  // none: free
    uint32_t generation = 0;  // of the watch that has the slot; an older one's events are stale
    uint64_t order = 0;       // the age of the watch
  };

  explicit EventLoop(UniqueFd epoll) : epoll_(std::move(epoll)) {}
  int wait_time(Nanoseconds longest) const;
  void call_due_timers();

  UniqueFd epoll_;
  std::vector<Slot> slots_;
  std::vector<Timer*> timers_;  // sorted, the next one at the end
  uint64_t next_order_ = 0;
  bool stopped_ = false;
};

}  // namespace ocirt::sys
