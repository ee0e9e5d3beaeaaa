#include "src/sys/poller.h"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <ctime>

namespace ocirt::sys {
namespace {

uint32_t to_epoll(uint32_t what) {
  uint32_t events = 0;
  if ((what & kReadable) != 0) events |= EPOLLIN;
  if ((what & kWritable) != 0) events |= EPOLLOUT;
  if ((what & kUrgent) != 0) events |= EPOLLPRI;
  return events;
}

uint32_t from_epoll(uint32_t events) {
  uint32_t what = 0;
  if ((events & EPOLLIN) != 0) what |= kReadable;
  if ((events & EPOLLOUT) != 0) what |= kWritable;
  if ((events & EPOLLPRI) != 0) what |= kUrgent;
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) what |= kHangUp;
  return what;
}

Result<> control(Fd poller, int operation, Fd fd, uint32_t what, uint64_t token) {
  epoll_event event{};
  event.events = to_epoll(what);
  event.data.u64 = token;
  if (::epoll_ctl(poller.raw(), operation, fd.raw(), &event) < 0)
    return os_error("epoll_ctl", errno);
  return {};
}

}  // namespace

Result<Poller> Poller::open() {
  Poller poller;
  poller.fd_ = UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
  if (!poller.fd_.valid()) return os_error("epoll_create", errno);
  return poller;
}

Result<> Poller::add(Fd fd, uint32_t what, uint64_t token) {
  return control(fd_, EPOLL_CTL_ADD, fd, what, token);
}

Result<> Poller::change(Fd fd, uint32_t what, uint64_t token) {
  return control(fd_, EPOLL_CTL_MOD, fd, what, token);
}

void Poller::remove(Fd fd) { (void)control(fd_, EPOLL_CTL_DEL, fd, 0, 0); }

Result<std::span<Happened>> Poller::wait(std::span<Happened> room, int64_t timeout_ms) {
  epoll_event events[16];
  const int most = static_cast<int>(std::min(room.size(), std::size(events)));
  const int timeout = static_cast<int>(std::min<int64_t>(timeout_ms, INT_MAX));
  const int count = ::epoll_wait(fd_.raw(), events, most, timeout);
  if (count < 0 && errno != EINTR) return os_error("epoll_wait", errno);
  for (int i = 0; i < count; ++i) {
    room[static_cast<size_t>(i)] = {events[i].data.u64, from_epoll(events[i].events)};
  }
  return room.first(static_cast<size_t>(std::max(count, 0)));
}

int64_t now_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000;
}

}  // namespace ocirt::sys
