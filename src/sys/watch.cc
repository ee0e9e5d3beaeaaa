#include "src/sys/watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "src/base/text.h"
#include "src/sys/retry.h"

namespace ocirt::sys {
namespace {

Result<UniqueFd> watch_for(uint32_t events, const std::string& path) {
  UniqueFd changes(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!changes.valid()) return os_error("inotify", errno);
  if (::inotify_add_watch(changes.raw(), path.c_str(), events) < 0)
    return os_error(cat("watch ", path), errno);
  return changes;
}

}  // namespace

Result<> wait_for_any(std::span<Watched> watched, int timeout_ms) {
  std::vector<pollfd> entries;
  for (Watched& each : watched) {
    each.ready = false;
    // poll(2) leaves out negative descriptors.
    const int events = each.control_file ? POLLPRI : each.for_room ? POLLOUT : POLLIN;
    entries.push_back({each.fd.raw(), static_cast<short>(events), 0});
  }
  const int count = ::poll(entries.data(), entries.size(), timeout_ms);
  if (count < 0 && errno != EINTR) return os_error("poll", errno);
  for (size_t i = 0; count > 0 && i < watched.size(); ++i)
    watched[i].ready = entries[i].revents != 0;
  return {};
}

Result<UniqueFd> event_counter() {
  const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) return os_error("eventfd", errno);
  return UniqueFd(fd);
}

Result<uint64_t> take_count(Fd counter) {
  uint64_t count = 0;
  const ssize_t got = retry([&] { return ::read(counter.raw(), &count, sizeof count); });
  if (got < 0 && errno == EAGAIN) return 0;
  if (got < 0) return os_error("read an event counter", errno);
  return count;
}

Result<UniqueFd> watch_changes(const std::string& path) { return watch_for(IN_MODIFY, path); }
Result<UniqueFd> watch_opens(const std::string& path) { return watch_for(IN_OPEN, path); }

Result<> drain(Fd changes) {
  char room[1024];
  while (retry([&] { return ::read(changes.raw(), room, sizeof room); }) > 0) {
  }
  return {};
}

}  // namespace ocirt::sys
