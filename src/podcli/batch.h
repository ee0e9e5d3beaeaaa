// One verb for several pods: calls to their shims are under way side by side, so that a pod that
// takes its whole grace period, or waits for an init container, keeps no other one waiting. What
// fails for one pod is reported, and the others go on.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/base/closure.h"
#include "src/podcli/command.h"
#include "src/podcli/shim.h"
#include "src/sys/event_loop.h"
#include "src/sys/signals.h"

namespace ocirt::podcli {

class Batch {
 public:
  static Result<std::unique_ptr<Batch>> open(const Call& call);
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;
  ~Batch();

  const Globals& globals() const { return call_.globals; }

  // The pods that the arguments name, each once; every pod if asked for `all`. Reports names that
  // there are not, unless they `may_be_missing`.
  Result<std::vector<std::string>> find(std::span<const std::string_view> arguments, bool all,
                                        bool may_be_missing = false);

  // Calls the shim of a pod; one that has died is replaced first. `then` gets the payload of the
  // answer, in run() or make_room(), and may ask again.
  using Then = Closure<void(Result<std::string>)>;
  void ask(const std::string& pod, ShimCall what, Then then);

  // Waits until fewer than `most` calls are under way.
  Result<> make_room(size_t most);
  // Waits until there is none left. The verb's exit status: 1 if anything has failed.
  Result<int> run();

  // From here on the signals that end a program end make_room() and run(), with code EINTR: whoever
  // has begun something says what becomes of it.
  Result<> hear_signals();

  // Prints a pod's name, as of one that is done; or why it is not.
  void conclude(const std::string& pod, const Result<>& done);
  void fail(const Error& error);
  bool has_failed() const { return status_ != 0; }

 private:
  class Line;
  explicit Batch(const Call& call);
  void begin_waiting();
  Result<> turn();
  void on_signal(unsigned ready);

  const Call& call_;
  std::unique_ptr<sys::EventLoop> loop_;
  std::vector<std::unique_ptr<Line>> lines_;   // that have a connection, or could get none
  std::deque<std::unique_ptr<Line>> waiting_;  // for others to end
  int status_ = 0;
  std::optional<sys::SignalInbox> signals_;
  sys::Watch signals_watch_;
  bool interrupted_ = false;
};

}  // namespace ocirt::podcli
