// See terminal.h.
#include "tests/support/terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace harness {

Terminal::Terminal() {
  master_ = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master_ < 0 || grantpt(master_) != 0 || unlockpt(master_) != 0)
    throw std::runtime_error("cannot make a pseudoterminal");
  slave_ = ioctl(master_, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (slave_ < 0) throw std::runtime_error("cannot open the slave of a pseudoterminal");
}

Terminal::~Terminal() {
  close_slave();
  if (master_ >= 0) close(master_);
}

void Terminal::close_slave() {
  if (slave_ >= 0) close(slave_);
  slave_ = -1;
}

void Terminal::type(std::string_view text) const {
  if (write(master_, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    throw std::runtime_error("cannot type into a terminal");
}

void Terminal::resize(unsigned short rows, unsigned short columns) const {
  const winsize size = {rows, columns, 0, 0};
  if (ioctl(master_, TIOCSWINSZ, &size) != 0) throw std::runtime_error("cannot resize a terminal");
}

bool Terminal::read_until(std::string_view text, int milliseconds) {
  timespec begin, now;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  while (seen_.find(text) == std::string::npos) {
    clock_gettime(CLOCK_MONOTONIC, &now);
    const long spent = (now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000;
    pollfd poller = {master_, POLLIN, 0};
    if (spent >= milliseconds || poll(&poller, 1, static_cast<int>(milliseconds - spent)) <= 0)
      return false;
    char buffer[4096];
    const ssize_t got = read(master_, buffer, sizeof buffer);
    if (got <= 0) return false;  // EIO: the last slave was closed
    seen_.append(buffer, static_cast<size_t>(got));
  }
  return true;
}

void Terminal::discard() const {
  // tcflush(3) would also take what the other side has not read of our typing.
  pollfd poller = {master_, POLLIN, 0};
  char buffer[65536];
  // At most what a program writes that never stops for it.
  for (int reads = 0; reads < 64 && poll(&poller, 1, 0) > 0; ++reads)
    if (read(master_, buffer, sizeof buffer) <= 0) return;
}

ConsoleSocket::ConsoleSocket(std::string path) : path_(std::move(path)) {
  listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path_.size() >= sizeof address.sun_path) throw std::runtime_error("socket path too long");
  std::memcpy(address.sun_path, path_.c_str(), path_.size());
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener_, 4) != 0)
    throw std::runtime_error("cannot listen on " + path_);
}

ConsoleSocket::~ConsoleSocket() {
  close(listener_);
  unlink(path_.c_str());
}

int ConsoleSocket::receive(int milliseconds) {
  pollfd poller = {listener_, POLLIN, 0};
  if (poll(&poller, 1, milliseconds) <= 0)
    throw std::runtime_error("nobody connected to the console socket");
  const int peer = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  char text[8192];
  alignas(cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))];
  iovec part = {text, sizeof text};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  poller.fd = peer;
  const bool ready = poll(&poller, 1, milliseconds) > 0;
  const ssize_t got = ready ? recvmsg(peer, &message, MSG_CMSG_CLOEXEC) : -1;
  close(peer);
  const cmsghdr* header = got > 0 ? CMSG_FIRSTHDR(&message) : nullptr;
  if (got < 1 || got >= 4096 || !header || header->cmsg_type != SCM_RIGHTS ||
      header->cmsg_len != CMSG_LEN(sizeof(int)))
    throw std::runtime_error("the console message must be 1 to 4095 bytes and one descriptor");
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return fd;
}

}  // namespace harness
