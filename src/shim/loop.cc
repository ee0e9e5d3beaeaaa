#include "src/shim/loop.h"

#include <algorithm>
#include <utility>

namespace ocirt::shim {

Result<Loop> Loop::open() {
  Loop loop;
  loop.poller_ = TRY(sys::Poller::open());
  return loop;
}

size_t Loop::find(Fd fd) const {
  for (size_t i = 0; i < watched_.size(); ++i) {
    if (watched_[i].fd == fd) return i;
  }
  return watched_.size();
}

Result<> Loop::watch(Fd fd, uint32_t what, Ready ready) {
  // The number of a descriptor comes back soon after it was closed: an event of the old one that
  // has been fetched already must not reach the new one.
  const uint32_t generation = ++generation_;
  TRY(poller_.add(fd, what, uint64_t{generation} << 32 | static_cast<uint32_t>(fd.raw())));
  watched_.push_back({fd, generation, std::move(ready)});
  return {};
}

Result<> Loop::change(Fd fd, uint32_t what) {
  const size_t i = find(fd);
  if (i == watched_.size()) return refuse("a descriptor that is not watched");
  const uint64_t token = uint64_t{watched_[i].generation} << 32 | static_cast<uint32_t>(fd.raw());
  return poller_.change(fd, what, token);
}

void Loop::unwatch(Fd fd) {
  const size_t i = find(fd);
  if (i == watched_.size()) return;
  poller_.remove(fd);
  watched_.erase(watched_.begin() + static_cast<ptrdiff_t>(i));
}

Loop::TimerId Loop::after(int64_t milliseconds, Due due) {
  if (++last_timer_ == 0) ++last_timer_;
  timers_.push_back({last_timer_, sys::now_ms() + milliseconds, std::move(due)});
  return last_timer_;
}

void Loop::cancel(TimerId& id) {
  const TimerId which = std::exchange(id, 0);
  if (which == 0) return;
  std::erase_if(timers_, [&](const Timer& timer) { return timer.id == which; });
}

void Loop::run_timers() {
  const int64_t now = sys::now_ms();
  // One at a time, the earliest first: each may set and cancel others.
  for (;;) {
    size_t first = timers_.size();
    for (size_t i = 0; i < timers_.size(); ++i) {
      if (timers_[i].when_ms > now) continue;
      if (first == timers_.size() || timers_[i].when_ms < timers_[first].when_ms) first = i;
    }
    if (first == timers_.size()) return;
    Due due = std::move(timers_[first].due);
    timers_.erase(timers_.begin() + static_cast<ptrdiff_t>(first));
    due();
  }
}

Result<> Loop::turn(bool wait) {
  int64_t timeout = wait ? -1 : 0;
  for (const Timer& timer : timers_) {
    const int64_t left = std::max<int64_t>(timer.when_ms - sys::now_ms(), 0);
    if (wait && (timeout < 0 || left < timeout)) timeout = left;
  }
  sys::Happened room[16];
  for (const sys::Happened& event : TRY(poller_.wait(room, timeout))) {
    const auto generation = static_cast<uint32_t>(event.token >> 32);
    for (size_t i = 0; i < watched_.size(); ++i) {
      if (watched_[i].generation != generation) continue;
      // It may unwatch itself, or watch others: what is called is not in the list meanwhile.
      Ready ready = std::move(watched_[i].ready);
      ready(event.what);
      for (Watched& entry : watched_) {
        if (entry.generation == generation) entry.ready = std::move(ready);
      }
      break;
    }
  }
  run_timers();
  return {};
}

Result<> Loop::run() {
  while (!stopped_) TRY(turn(true));
  return {};
}

}  // namespace ocirt::shim
