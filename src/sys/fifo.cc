#include "src/sys/fifo.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "src/base/text.h"
#include "src/sys/retry.h"

namespace ocirt::sys {

Result<Pipe> make_pipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) < 0) return os_error("pipe", errno);
  Pipe pipe{UniqueFd(fds[0]), UniqueFd(fds[1])};
  TRY(set_waiting(pipe.from, false));
  return pipe;
}

Result<> make_fifo(CStr path, mode_t mode) {
  if (::mkfifo(path.c_str(), mode) < 0 && errno != EEXIST)
    return os_error(cat("mkfifo ", path.view()), errno);
  // The mask of the process is not to decide.
  if (::chmod(path.c_str(), mode) < 0) return os_error(cat("chmod ", path.view()), errno);
  return {};
}

Result<size_t> write_some(Fd fd, std::string_view bytes) {
  const ssize_t put = retry([&] { return ::write(fd.raw(), bytes.data(), bytes.size()); });
  if (put >= 0) return static_cast<size_t>(put);
  if (errno == EAGAIN) return size_t{0};
  return os_error("write", errno);
}

Result<> write_pieces(Fd fd, std::string_view name, std::span<const std::string_view> pieces) {
  iovec parts[8];
  size_t count = 0, size = 0;
  for (std::string_view piece : pieces.first(std::min<size_t>(pieces.size(), 8))) {
    parts[count++] = {const_cast<char*>(piece.data()), piece.size()};
    size += piece.size();
  }
  const ssize_t put = retry([&] { return ::writev(fd.raw(), parts, static_cast<int>(count)); });
  if (put < 0) return os_error(cat("write ", name), errno);
  if (static_cast<size_t>(put) != size) return os_error(cat("write ", name), ENOSPC);
  return {};
}

Result<> cut_file(Fd file, std::string_view name, uint64_t size) {
  if (::ftruncate(file.raw(), static_cast<off_t>(size)) < 0)
    return os_error(cat("truncate ", name), errno);
  return {};
}

Result<> set_waiting(Fd fd, bool waits) {
  const int flags = ::fcntl(fd.raw(), F_GETFL);
  if (flags < 0) return os_error("fcntl", errno);
  if (::fcntl(fd.raw(), F_SETFL, waits ? flags & ~O_NONBLOCK : flags | O_NONBLOCK) < 0)
    return os_error("fcntl", errno);
  return {};
}

Result<> set_window_size(Fd terminal, uint16_t columns, uint16_t rows) {
  winsize size{};
  size.ws_col = columns;
  size.ws_row = rows;
  if (::ioctl(terminal.raw(), TIOCSWINSZ, &size) < 0) return os_error("resize terminal", errno);
  return {};
}

UniqueFd receive_descriptor(Fd socket) {
  char bytes[256];
  iovec part{bytes, sizeof bytes};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  if (::recvmsg(socket.raw(), &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) <= 0) return UniqueFd();
  cmsghdr* entry = CMSG_FIRSTHDR(&header);
  if (entry == nullptr || entry->cmsg_level != SOL_SOCKET || entry->cmsg_type != SCM_RIGHTS)
    return UniqueFd();
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(entry), sizeof fd);
  return UniqueFd(fd);
}

Result<bool> try_lock(Fd fd, std::string_view name) {
  if (retry([&] { return ::flock(fd.raw(), LOCK_EX | LOCK_NB); }) == 0) return true;
  if (errno == EWOULDBLOCK) return false;
  return os_error(cat("lock ", name), errno);
}

}  // namespace ocirt::sys
