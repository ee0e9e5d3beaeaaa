#include "src/sys/datagram.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "src/base/text.h"
#include "src/sys/file.h"
#include "src/sys/retry.h"
#include "src/sys/socket.h"

namespace ocirt::sys {
namespace {

struct Address {
  sockaddr_un value{};
  socklen_t size = 0;
  const sockaddr* generic() const { return reinterpret_cast<const sockaddr*>(&value); }
};

Result<Address> address_of(std::string_view text) {
  Address address;
  address.value.sun_family = AF_UNIX;
  if (text.size() >= sizeof address.value.sun_path) {
    return refuse(cat("socket address ", quoted(text), ": too long"));
  }
  std::memcpy(address.value.sun_path, text.data(), text.size());
  // An abstract name is as long as it says, a path ends with a zero byte.
  const bool is_abstract = text.starts_with('@');
  if (is_abstract) address.value.sun_path[0] = '\0';
  address.size =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + text.size() + (is_abstract ? 0 : 1));
  return address;
}

Result<UniqueFd> datagram_socket() {
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return os_error("socket", errno);
  return UniqueFd(fd);
}

}  // namespace

Result<UniqueFd> receive_datagrams_at(Fd dir, CStr name) {
  // A directory's descriptor makes any path short enough for an address.
  Address address = TRY(address_of(cat("/proc/self/fd/", dir.raw(), "/", name.view())));
  UniqueFd socket = TRY(datagram_socket());
  if (::bind(socket.raw(), address.generic(), address.size) < 0) {
    return os_error(cat("bind socket ", name.view()), errno);
  }
  TRY(chmod(dir, name, 0777));
  return socket;
}

Result<std::optional<std::string>> take_datagram(Fd socket, size_t limit) {
  std::string bytes(limit, '\0');
  // No room for descriptors: the kernel drops them.
  const ssize_t size =
      retry([&] { return ::recv(socket.raw(), bytes.data(), limit, MSG_DONTWAIT | MSG_TRUNC); });
  if (size < 0 && errno == EAGAIN) return std::nullopt;
  if (size < 0) return os_error("receive message", errno);
  if (static_cast<size_t>(size) > limit) return std::string();
  bytes.resize(static_cast<size_t>(size));
  return bytes;
}

Result<UniqueFd> connect_datagrams(std::string_view text) {
  Address address = TRY(address_of(text));
  UniqueFd socket = TRY(datagram_socket());
  if (::connect(socket.raw(), address.generic(), address.size) == 0) return socket;
  // In words that no caller takes for a missing command of the container.
  if (errno == ENOENT) {
    return std::unexpected(Error{ENOENT, cat("connect to ", text, ": no socket is there")});
  }
  return os_error(cat("connect to ", text), errno);
}

Result<> send_datagram_within(Fd socket, std::string_view bytes, int timeout_ms, Fd attached) {
  pollfd entry{socket.raw(), POLLOUT, 0};
  if (::poll(&entry, 1, timeout_ms) < 0 && errno != EINTR) return os_error("poll", errno);
  return send_message(socket, bytes, attached);
}

}  // namespace ocirt::sys
