// Copies from one descriptor to another as the loop finds them ready. Nothing is kept but what a
// full receiver has not taken of the last chunk, and the sender is not read from meanwhile: who
// writes faster than the client reads waits, as on a pipe.
#pragma once

#include <string>
#include <string_view>

#include "src/base/callback.h"
#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/shim/log_file.h"
#include "src/sys/event_loop.h"

namespace ocirt::shim {

class Pump {
 public:
  explicit Pump(sys::EventLoop& loop) : loop_(loop) {}
  Pump(const Pump&) = delete;
  Pump& operator=(const Pump&) = delete;

  // Neither may wait, and both outlive this or stop(). Without a receiver, or when it has failed,
  // what comes is dropped: the sender is not stopped by it. A log gets everything too.
  Result<> begin(Fd from, Fd to, LogFile* log = nullptr);
  // Called once, when everything up to the sender's end was delivered.
  void on_end(Callback<> call) { ended_ = call; }

  // Moves what can be moved now, which is finite: at most what the sender's pipe holds.
  void drain();
  bool at_end() const { return at_end_; }
  // Whether the receiver has not taken something yet.
  bool is_stuck() const { return !unsent_.empty(); }
  // Bytes that were read, ever.
  uint64_t moved() const { return moved_; }
  void stop();

 private:
  void on_readable(unsigned ready);
  void on_room(unsigned ready);
  bool move();
  void listen();
  void wait_for_room();
  void finish();

  sys::EventLoop& loop_;
  Fd from_, to_;
  LogFile* log_ = nullptr;
  Callback<> ended_;
  std::string unsent_;
  uint64_t moved_ = 0;
  bool at_end_ = false;
  sys::Watch from_watch_, to_watch_;
};

}  // namespace ocirt::shim
