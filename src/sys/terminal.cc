#include "src/sys/terminal.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace ocirt::sys {

bool is_terminal(Fd fd) { return ::isatty(fd.raw()) == 1; }

RawMode::RawMode(Fd fd) : fd_(fd) {
  termios state{};
  if (::tcgetattr(fd.raw(), &state) < 0) return;
  before_ = state;
  ::cfmakeraw(&state);
  ::tcsetattr(fd.raw(), TCSANOW, &state);
}

RawMode::~RawMode() {
  if (before_) ::tcsetattr(fd_.raw(), TCSANOW, &*before_);
}

void never_wait(Fd master) {
  int flags = ::fcntl(master.raw(), F_GETFL);
  if (flags >= 0) ::fcntl(master.raw(), F_SETFL, flags | O_NONBLOCK);
}

UniqueFd open_slave(Fd master) {
  return UniqueFd(::ioctl(master.raw(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
}

void copy_window_size(Fd from, Fd to) {
  winsize size{};
  if (::ioctl(from.raw(), TIOCGWINSZ, &size) == 0) ::ioctl(to.raw(), TIOCSWINSZ, &size);
}

std::optional<WindowSize> window_size(Fd fd) {
  winsize size{};
  if (::ioctl(fd.raw(), TIOCGWINSZ, &size) != 0) return std::nullopt;
  return WindowSize{.columns = size.ws_col, .rows = size.ws_row};
}

}  // namespace ocirt::sys
