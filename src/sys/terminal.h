// Terminals: raw mode and window size.
#pragma once

#include <termios.h>

#include <cstdint>
#include <optional>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace ocirt::sys {

bool is_terminal(Fd fd);

// Puts a terminal into raw mode (every key goes through, Ctrl-C included) until destroyed. Nothing
// happens when `fd` is no terminal.
class [[nodiscard]] RawMode {
 public:
  explicit RawMode(Fd fd);
  RawMode(const RawMode&) = delete;
  RawMode& operator=(const RawMode&) = delete;
  ~RawMode();

 private:
  Fd fd_;
  std::optional<termios> before_;
};

// Makes reads and writes of a terminal's master return instead of waiting: poll(2) says that there
// is room when there is some, not for how much.
void never_wait(Fd master);

// Opens the slave of a master. As long as somebody has it open the master does not report its end,
// also when the program closes its last descriptor and opens /dev/console again later.
UniqueFd open_slave(Fd master);

// Gives `to` the window size of `from`; nothing when one of them is no terminal.
void copy_window_size(Fd from, Fd to);

struct WindowSize {
  uint16_t columns = 0;
  uint16_t rows = 0;
};
// Nothing when it is no terminal.
std::optional<WindowSize> window_size(Fd fd);

}  // namespace ocirt::sys
