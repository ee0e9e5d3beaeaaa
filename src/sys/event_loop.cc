#include "src/sys/event_loop.h"

#include <sys/epoll.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace ocirt::sys {
namespace {

constexpr int kEventsPerTurn = 32;

Nanoseconds read_clock(clockid_t id) {
  timespec now{};
  ::clock_gettime(id, &now);
  return std::chrono::seconds(now.tv_sec) + Nanoseconds(now.tv_nsec);
}

uint32_t to_epoll(unsigned interest) {
  return ((interest & kReadable) != 0 ? EPOLLIN : 0u) |
         ((interest & kWritable) != 0 ? EPOLLOUT : 0u);
}

unsigned from_epoll(uint32_t events) {
  return ((events & (EPOLLIN | EPOLLPRI)) != 0 ? kReadable : 0u) |
         ((events & EPOLLOUT) != 0 ? kWritable : 0u) |
         ((events & (EPOLLHUP | EPOLLERR)) != 0 ? kGone : 0u);
}

uint64_t key_of(uint32_t slot, uint32_t generation) { return uint64_t{generation} << 32 | slot; }

}  // namespace

Nanoseconds monotonic_now() { return read_clock(CLOCK_MONOTONIC); }
Nanoseconds boot_now() { return read_clock(CLOCK_BOOTTIME); }
Nanoseconds wall_now() { return read_clock(CLOCK_REALTIME); }

Watch& Watch::operator=(Watch&& other) noexcept {
  if (this != &other) {
    reset();
    loop_ = std::exchange(other.loop_, nullptr);
    fd_ = other.fd_;
    slot_ = other.slot_;
  }
  return *this;
}

Result<> Watch::change(unsigned interest) {
  epoll_event event{};
  event.events = to_epoll(interest);
  event.data.u64 = key_of(slot_, loop_->slots_[slot_].generation);
  if (::epoll_ctl(loop_->epoll_.raw(), EPOLL_CTL_MOD, fd_.raw(), &event) < 0) {
    return os_error("epoll_ctl", errno);
  }
  return {};
}

void Watch::reset() {
  if (loop_ == nullptr) return;
  EventLoop::Slot& slot = loop_->slots_[slot_];
  slot.call = {};
  ++slot.generation;
  (void)::epoll_ctl(loop_->epoll_.raw(), EPOLL_CTL_DEL, fd_.raw(), nullptr);
  loop_ = nullptr;
}

void Timer::start(Nanoseconds from_now) {
  cancel();
  const Nanoseconds now = monotonic_now();
  deadline_ = from_now > Nanoseconds::max() - now ? Nanoseconds::max() : now + from_now;
  order_ = loop_.next_order_++;
  running_ = true;
  auto is_later = [](const Timer* a, const Timer* b) {
    return a->deadline_ != b->deadline_ ? a->deadline_ > b->deadline_ : a->order_ > b->order_;
  };
  auto& timers = loop_.timers_;
  timers.insert(std::upper_bound(timers.begin(), timers.end(), this, is_later), this);
}

void Timer::cancel() {
  if (!running_) return;
  running_ = false;
  std::erase(loop_.timers_, this);
}

Result<std::unique_ptr<EventLoop>> EventLoop::open() {
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.valid()) return os_error("epoll_create1", errno);
  return std::unique_ptr<EventLoop>(new EventLoop(std::move(epoll)));
}

Result<Watch> EventLoop::watch(Fd fd, unsigned interest, Callback<unsigned> call) {
  auto free = std::ranges::find_if(slots_, [](const Slot& slot) { return !slot.call; });
  if (free == slots_.end()) free = slots_.emplace(slots_.end());
  const auto number = static_cast<uint32_t>(free - slots_.begin());
  epoll_event event{};
  event.events = to_epoll(interest);
  event.data.u64 = key_of(number, free->generation);
  if (::epoll_ctl(epoll_.raw(), EPOLL_CTL_ADD, fd.raw(), &event) < 0) {
    return os_error("epoll_ctl", errno);
  }
  free->call = call;
  free->order = next_order_++;
  return Watch(*this, fd, number);
}

// In milliseconds, rounded up: a turn that comes too early would find nothing due, and turn again.
int EventLoop::wait_time(Nanoseconds longest) const {
  if (!timers_.empty()) {
    const Nanoseconds next = std::max(Nanoseconds(0), timers_.back()->deadline_ - monotonic_now());
    longest = longest < Nanoseconds(0) ? next : std::min(longest, next);
  }
  if (longest < Nanoseconds(0)) return -1;
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(longest).count();
  return milliseconds > INT_MAX ? INT_MAX : static_cast<int>(milliseconds);
}

void EventLoop::call_due_timers() {
  if (timers_.empty()) return;
  const Nanoseconds now = monotonic_now();
  while (!timers_.empty() && timers_.back()->deadline_ <= now) {
    Timer* timer = timers_.back();
    timers_.pop_back();
    timer->running_ = false;
    timer->call_();
  }
}

Result<> EventLoop::turn(Nanoseconds longest) {
  epoll_event events[kEventsPerTurn];
  const int count = ::epoll_wait(epoll_.raw(), events, kEventsPerTurn, wait_time(longest));
  if (count < 0 && errno != EINTR) return os_error("epoll_wait", errno);
  auto slot_of = [](const epoll_event& event) { return static_cast<uint32_t>(event.data.u64); };
  std::sort(events, events + std::max(count, 0), [&](const epoll_event& a, const epoll_event& b) {
    return slots_[slot_of(a)].order < slots_[slot_of(b)].order;
  });
  for (int i = 0; i < count; ++i) {
    const Slot& slot = slots_[slot_of(events[i])];
    if (!slot.call || slot.generation != events[i].data.u64 >> 32) continue;
    const Callback<unsigned> call = slot.call;  // it may make the vector grow
    call(from_epoll(events[i].events));
  }
  call_due_timers();
  return {};
}

Result<> EventLoop::run() {
  stopped_ = false;
  while (!stopped_) TRY(turn());
  return {};
}

}  // namespace ocirt::sys
