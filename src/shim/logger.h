// A program that reads what a container says ("binary://PATH"): containerd's logging programs
// (containerd/core/runtime/v2/logging). It has the two outputs as descriptors 3 and 4, and says by
// closing 5, or a byte in it, that it is ready; before that the container is not made.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/shim/pump.h"
#include "src/shim/stream_places.h"
#include "src/sys/event_loop.h"

namespace ocirt::shim {

class Logger {
 public:
  explicit Logger(sys::EventLoop& loop);
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;

  // Starts it; `id` and `name_space` of the container become its environment.
  Result<> start(const StreamPlaces& places, const std::string& id, const std::string& name_space);

  // What the container writes to, until let_go().
  Fd out() const { return out_; }
  Fd err() const { return err_; }
  // For whoever makes the container: readable when the program is ready.
  Fd ready() const { return ready_; }
  void let_go();

  // A child of ours has ended. True: it was this program, and from now on what the container
  // says is dropped, so that it is stopped neither by a full pipe nor by a broken one.
  bool ended(pid_t pid);
  // The container has ended, and with it the program's input: it has so long to end by itself, then
  // as long again after a SIGTERM.
  void close();
  bool has_ended() const { return pid_ == 0; }

 private:
  void too_late();

  pid_t pid_ = 0;
  UniqueFd out_, err_, ready_;
  UniqueFd held_[2];  // the program's ends, for the time after it
  Pump drop_out_, drop_err_;
  sys::Timer timer_;
  bool told_ = false;
};

// Waits until the program is ready; in a worker, which is killed when that takes for ever.
// `must_answer`: an end without a byte is a failure.
Result<> wait_for_logger(Fd ready, bool must_answer);

}  // namespace ocirt::shim
