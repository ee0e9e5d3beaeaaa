// Copies bytes between two descriptors without ever blocking on one of them, so that signals, the
// end of a process and the other direction are always heard.
#pragma once

#include <array>
#include <cstddef>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace ocirt::sys {

// One direction. It reads only while it holds nothing, and writes only what poll(2) says there is
// room for: a reader that stalls costs no processor time.
class Copier {
 public:
  Copier() = default;  // copies nothing
  Copier(Fd from, Fd to) : from_(from), to_(to) {}

  // Does what can be done at once: one read, or one write. A source at its end, or a destination
  // that nobody reads any more, ends the copying.
  void move();
  // Whether it holds something that is not written yet, or could read more at once.
  bool has_more() const;
  // Whether it holds something that there is no room for now.
  bool is_stalled() const;

 private:
  friend struct Waiting;
  bool holding() const { return begin_ < end_; }
  Fd from_, to_;
  std::array<char, 4096> buffer_;  // a pipe that reports room takes this much without blocking
  size_t begin_ = 0, end_ = 0;
};

struct Readiness {
  bool signal = false;  // the signal descriptor has something
  bool ended = false;   // the process behind the pidfd has ended
  bool keys = false;    // the first copier can move
  bool screen = false;  // the second copier can move
  bool notice = false;  // the last descriptor has something
};

// A description of our own of what `fd` leads to, whose writes never wait: poll(2) says that a
// terminal or pipe has room, not for how much. Invalid where there is none to be had (a socket).
UniqueFd reopen_without_waiting(Fd fd);

// Waits for any of the five.
Result<Readiness> wait_for(Fd signals, Fd pidfd, const Copier& keys, const Copier& screen,
                           Fd notices = {});

}  // namespace ocirt::sys
