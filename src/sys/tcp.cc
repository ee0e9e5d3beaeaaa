#include "src/sys/tcp.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "src/base/text.h"

namespace ocirt::sys {
namespace {

Result<> wait_for(Fd socket, short events, Nanoseconds end, std::string_view what) {
  for (;;) {
    const Nanoseconds left = end - monotonic_now();
    if (left <= Nanoseconds(0)) return os_error(what, ETIMEDOUT);
    const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    pollfd entry{socket.raw(), events, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(std::min<int64_t>(milliseconds, 1 << 30)));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return os_error("poll", errno);
  }
}

}  // namespace

Result<UniqueFd> connect_tcp(const std::string& address, uint16_t port, Nanoseconds end) {
  sockaddr_storage storage{};
  socklen_t size = 0;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
  if (::inet_pton(AF_INET, address.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    size = sizeof *v4;
  } else if (::inet_pton(AF_INET6, address.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    size = sizeof *v6;
  } else {
    return refuse(
        cat("not supported: ", quoted(address), ": a probe connects to addresses, not to names"));
  }
  const std::string what = cat("connect to ", address, " port ", port);
  UniqueFd socket(::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return os_error("socket", errno);
  if (::connect(socket.raw(), reinterpret_cast<sockaddr*>(&storage), size) == 0) return socket;
  if (errno != EINPROGRESS) return os_error(what, errno);
  TRY(wait_for(socket, POLLOUT, end, what));
  int error = 0;
  socklen_t length = sizeof error;
  if (::getsockopt(socket.raw(), SOL_SOCKET, SO_ERROR, &error, &length) < 0)
    return os_error(what, errno);
  if (error != 0) return os_error(what, error);
  return socket;
}

Result<> wait_readable(Fd socket, Nanoseconds end) {
  return wait_for(socket, POLLIN, end, "wait for an answer");
}

}  // namespace ocirt::sys
