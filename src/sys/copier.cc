#include "src/sys/copier.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "src/base/text.h"

namespace ocirt::sys {

struct Waiting {
  static pollfd entry(const Copier& copier) {
    if (!copier.from_.valid()) return {-1, 0, 0};
    if (copier.holding()) return {copier.to_.raw(), POLLOUT, 0};
    return {copier.from_.raw(), POLLIN, 0};
  }
};

void Copier::move() {
  if (!from_.valid()) return;
  if (!holding()) {
    ssize_t got = ::read(from_.raw(), buffer_.data(), buffer_.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (got <= 0) {  // EIO: a terminal whose last user has closed it
      from_ = Fd();
      return;
    }
    begin_ = 0;
    end_ = static_cast<size_t>(got);
    return;  // whether there is room is for poll(2) to say
  }
  ssize_t put = ::write(to_.raw(), buffer_.data() + begin_, end_ - begin_);
  if (put < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (put < 0) {
    from_ = Fd();
    return;
  }
  begin_ += static_cast<size_t>(put);
}

bool Copier::has_more() const {
  if (!from_.valid()) return false;
  if (holding()) return true;
  pollfd entry{from_.raw(), POLLIN, 0};
  return ::poll(&entry, 1, 0) > 0;
}

bool Copier::is_stalled() const {
  if (!from_.valid() || !holding()) return false;
  pollfd entry{to_.raw(), POLLOUT, 0};
  return ::poll(&entry, 1, 0) == 0;
}

UniqueFd reopen_without_waiting(Fd fd) {
  struct stat info{};
  // A regular file never waits, and a second description would have a second offset.
  if (::fstat(fd.raw(), &info) < 0 || S_ISREG(info.st_mode)) return UniqueFd();
  const std::string path = cat("/proc/self/fd/", fd.raw());
  return UniqueFd(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

Result<Readiness> wait_for(Fd signals, Fd pidfd, const Copier& keys, const Copier& screen,
                           Fd notices) {
  pollfd entries[5] = {{signals.raw(), POLLIN, 0},
                       {pidfd.raw(), POLLIN, 0},
                       Waiting::entry(keys),
                       Waiting::entry(screen),
                       {notices.raw(), POLLIN, 0}};
  if (::poll(entries, 5, -1) < 0 && errno != EINTR) return os_error("poll", errno);
  return Readiness{entries[0].revents != 0, entries[1].revents != 0, entries[2].revents != 0,
                   entries[3].revents != 0, entries[4].revents != 0};
}

}  // namespace ocirt::sys
