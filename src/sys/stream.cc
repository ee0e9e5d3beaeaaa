#include "src/sys/stream.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "src/base/text.h"
#include "src/sys/retry.h"

namespace ocirt::sys {
namespace {

constexpr int kBacklog = 64;

}  // namespace

Result<std::pair<UniqueFd, UniqueFd>> stream_pair() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0) {
    return os_error("socketpair", errno);
  }
  return std::pair(UniqueFd(fds[0]), UniqueFd(fds[1]));
}

Result<UniqueFd> listen_stream_at(Fd dir, CStr name) {
  const std::string path = cat("/proc/self/fd/", dir.raw(), "/", name.view());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return refuse(cat("socket name ", name.view(), ": too long"));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return os_error("socket", errno);
  // The mode of the file is that of the socket, less the umask.
  if (::fchmod(socket.raw(), 0600) < 0) return os_error("fchmod socket", errno);
  if (::bind(socket.raw(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    return os_error(cat("bind socket ", name.view()), errno);
  }
  if (::listen(socket.raw(), kBacklog) < 0) return os_error(cat("listen on ", name.view()), errno);
  return socket;
}

Result<std::optional<UniqueFd>> accept(Fd listener) {
  const int fd = retry(
      [&] { return ::accept4(listener.raw(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK); });
  if (fd >= 0) return UniqueFd(fd);
  // A caller who has gone away again is none.
  if (errno == EAGAIN || errno == ECONNABORTED) return std::nullopt;
  return os_error("accept", errno);
}

Result<Peer> peer_of(Fd socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket.raw(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0) {
    return os_error("SO_PEERCRED", errno);
  }
  return Peer{credentials.pid, credentials.uid, credentials.gid};
}

Result<std::optional<size_t>> read_some(Fd fd, std::span<char> buffer) {
  const ssize_t got = retry([&] { return ::read(fd.raw(), buffer.data(), buffer.size()); });
  if (got >= 0) return static_cast<size_t>(got);
  if (errno == EAGAIN) return std::nullopt;
  if (errno == ECONNRESET) return size_t{0};
  return os_error("read", errno);
}

Result<size_t> send_some(Fd socket, std::string_view bytes) {
  const ssize_t sent = retry([&] {
    return ::send(socket.raw(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  });
  if (sent >= 0) return static_cast<size_t>(sent);
  if (errno == EAGAIN) return size_t{0};
  return os_error("send", errno);
}

Result<bool> wait_until_ready(Fd fd, unsigned for_what, Nanoseconds longest) {
  const short events = static_cast<short>(((for_what & kReadable) != 0 ? POLLIN : 0) |
                                          ((for_what & kWritable) != 0 ? POLLOUT : 0));
  pollfd entry{fd.raw(), events, 0};
  const timespec limit{longest.count() / 1'000'000'000, longest.count() % 1'000'000'000};
  const int count = ::ppoll(&entry, 1, longest < Nanoseconds(0) ? nullptr : &limit, nullptr);
  // A signal has been handled: to be looked at as if something had come.
  if (count < 0 && errno == EINTR) return true;
  if (count < 0) return os_error("ppoll", errno);
  return count > 0;
}

void shut_down(Fd socket) { (void)::shutdown(socket.raw(), SHUT_RDWR); }

}  // namespace ocirt::sys
