#include "src/sys/socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "src/base/text.h"
#include "src/sys/file.h"
#include "src/sys/retry.h"

namespace ocirt::sys {
namespace {

constexpr size_t kMostFds = 4;

// /proc/self/fd/N/NAME reaches a name in an open directory in few bytes.
Result<sockaddr_un> address_at(Fd dir, CStr name) {
  std::string path =
      dir == kCwd ? std::string(name.view()) : cat("/proc/self/fd/", dir.raw(), "/", name.view());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return refuse(cat("socket name ", path, ": too long"));
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

Result<UniqueFd> new_socket(int type) {
  int fd = ::socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
  if (fd < 0) return os_error("socket", errno);
  return UniqueFd(fd);
}

// Each step of a send, and connect(2) as well, ends with EAGAIN when it has taken that long.
Result<> limit_waiting(Fd socket, int limit_ms) {
  const timeval limit{limit_ms / 1000, limit_ms % 1000 * 1000L};
  if (::setsockopt(socket.raw(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0)
    return os_error("SO_SNDTIMEO", errno);
  return {};
}

Result<> connect_to(Fd socket, const sockaddr_un& address, std::string_view name) {
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (retry([&] { return ::connect(socket.raw(), generic, sizeof address); }) < 0) {
    // In words that no caller takes for a missing command of the container.
    if (errno == ENOENT) {
      return std::unexpected(Error{ENOENT, cat("connect to ", name, ": no socket is there")});
    }
    return os_error(cat("connect to ", name), errno);
  }
  return {};
}

}  // namespace

Result<std::pair<UniqueFd, UniqueFd>> socket_pair() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0) {
    return os_error("socketpair", errno);
  }
  return std::pair(UniqueFd(fds[0]), UniqueFd(fds[1]));
}

Result<UniqueFd> listen_at(Fd dir, CStr name) {
  sockaddr_un address = TRY(address_at(dir, name));
  UniqueFd socket = TRY(new_socket(SOCK_SEQPACKET));
  if (::bind(socket.raw(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    return os_error(cat("bind socket ", name.view()), errno);
  }
  if (::listen(socket.raw(), 16) < 0) return os_error(cat("listen on ", name.view()), errno);
  return socket;
}

Result<UniqueFd> connect_at(Fd dir, CStr name) {
  sockaddr_un address = TRY(address_at(dir, name));
  UniqueFd socket = TRY(new_socket(SOCK_SEQPACKET));
  TRY(connect_to(socket, address, name.view()));
  return socket;
}

Result<bool> is_listening(Fd dir, CStr name) {
  sockaddr_un address = TRY(address_at(dir, name));
  // The ordinary case for one call: it has been removed.
  if (!exists(dir, name)) return false;
  UniqueFd socket = TRY(new_socket(SOCK_SEQPACKET | SOCK_NONBLOCK));
  Result<> done = connect_to(socket, address, name.view());
  if (done || done.error().code == EAGAIN) return true;
  if (done.error().code == ECONNREFUSED || done.error().code == ENOENT) return false;
  return std::unexpected(std::move(done).error());
}

namespace {

Result<> connect_by_path(Fd socket, CStr path) {
  sockaddr_un address{};
  if (path.view().size() < sizeof address.sun_path) {
    address = TRY(address_at(kCwd, path));
    return connect_to(socket, address, path.view());
  }
  size_t slash = path.view().find_last_of('/');
  std::string parent(path.view().substr(0, slash == std::string_view::npos ? 0 : slash));
  UniqueFd dir = TRY(open(kCwd, parent.empty() ? "/" : parent, O_PATH | O_DIRECTORY));
  address = TRY(address_at(dir, path.c_str() + slash + 1));
  return connect_to(socket, address, path.view());
}

Result<UniqueFd> connect_as(int type, CStr path) {
  UniqueFd socket = TRY(new_socket(type));
  TRY(connect_by_path(socket, path));
  return socket;
}

}  // namespace

Result<UniqueFd> connect_stream(CStr path) { return connect_stream_within(path, 10'000); }

Result<UniqueFd> connect_stream_at_once(CStr path) {
  return connect_as(SOCK_STREAM | SOCK_NONBLOCK, path);
}

Result<UniqueFd> connect_stream_within(CStr path, int limit_ms) {
  UniqueFd socket = TRY(new_socket(SOCK_STREAM));
  TRY(limit_waiting(socket, limit_ms));
  Result<> done = connect_by_path(socket, path);
  if (done) return socket;
  if (done.error().code != EAGAIN) return std::unexpected(std::move(done).error());
  return std::unexpected(
      Error{ETIMEDOUT, cat("connect to ", path.view(), ": not accepted within ", limit_ms,
                           " ms, and its queue is full: the program that listens there has to "
                           "accept connections, or to be restarted")});
}

Result<> send_datagram(CStr path, std::string_view bytes) {
  UniqueFd socket = TRY(new_socket(SOCK_DGRAM));
  TRY(limit_waiting(socket, 2000));
  sockaddr_un address = TRY(address_at(kCwd, path));
  TRY(connect_to(socket, address, path.view()));
  return send_message(socket, bytes);
}

Result<> send_message(Fd socket, std::string_view bytes, Fd attached) {
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  if (attached.valid()) {
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    cmsghdr* entry = CMSG_FIRSTHDR(&header);
    entry->cmsg_level = SOL_SOCKET;
    entry->cmsg_type = SCM_RIGHTS;
    entry->cmsg_len = CMSG_LEN(sizeof(int));
    int fd = attached.raw();
    std::memcpy(CMSG_DATA(entry), &fd, sizeof fd);
  }
  for (;;) {
    const ssize_t sent = retry([&] { return ::sendmsg(socket.raw(), &header, MSG_NOSIGNAL); });
    if (sent < 0) return os_error("send message", errno);
    if (static_cast<size_t>(sent) == part.iov_len) return {};
    // A stream whose limit is over takes what there was room for. The descriptor is on its way.
    part.iov_base = static_cast<char*>(part.iov_base) + sent;
    part.iov_len -= static_cast<size_t>(sent);
    header.msg_control = nullptr;
    header.msg_controllen = 0;
  }
}

Result<std::vector<Message>> receive_messages(Fd socket, size_t count, size_t limit) {
  struct Place {
    iovec part;
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMostFds)];
  };
  // Not written before: what no message is in costs nothing.
  const auto room = std::make_unique_for_overwrite<char[]>(count * limit);
  std::vector<Place> places(count);
  std::vector<mmsghdr> headers(count);
  for (size_t i = 0; i < count; ++i) {
    places[i].part = {&room[i * limit], limit};
    headers[i].msg_hdr.msg_iov = &places[i].part;
    headers[i].msg_hdr.msg_iovlen = 1;
    headers[i].msg_hdr.msg_control = places[i].control;
    headers[i].msg_hdr.msg_controllen = sizeof places[i].control;
  }
  const auto receive = [&] {
    return retry([&] {
      return ::recvmmsg(socket.raw(), headers.data(), static_cast<unsigned>(count),
                        MSG_CMSG_CLOEXEC, nullptr);
    });
  };
  int got = receive();
  // A peer that died with our message unread resets the connection. What it said before is there
  // still; with nothing more it is the same as its end.
  if (got < 0 && errno == ECONNRESET) got = receive();
  if (got < 0 && errno != ECONNRESET) return os_error("receive message", errno);
  if (got < 0) {
    got = 1;
    headers[0].msg_len = 0;
    headers[0].msg_hdr.msg_controllen = 0;
  }
  std::vector<Message> messages(static_cast<size_t>(got));
  for (size_t i = 0; i < messages.size(); ++i) {
    Message& message = messages[i];
    msghdr& header = headers[i].msg_hdr;
    message.bytes.assign(&room[i * limit], headers[i].msg_len);
    for (cmsghdr* entry = CMSG_FIRSTHDR(&header); entry != nullptr;
         entry = CMSG_NXTHDR(&header, entry)) {
      if (entry->cmsg_level != SOL_SOCKET || entry->cmsg_type != SCM_RIGHTS) continue;
      size_t fds = (entry->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (size_t at = 0; at < fds; ++at) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(entry) + at * sizeof(int), sizeof fd);
        message.fds.emplace_back(fd);
      }
    }
    if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
      return refuse("receive message: cut short");
  }
  return messages;
}

Result<Message> receive_message(Fd socket, size_t limit) {
  std::vector<Message> messages = TRY(receive_messages(socket, 1, limit));
  return std::move(messages.front());
}

}  // namespace ocirt::sys
