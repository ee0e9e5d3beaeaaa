// Signals as a stream: blocked, and read from a descriptor.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace ocirt::sys {

// Blocks every signal that can be blocked and collects them, until destroyed.
class [[nodiscard]] SignalInbox {
 public:
  static Result<SignalInbox> open();
  // Without a descriptor, which listen() makes.
  static SignalInbox block();
  Result<> listen();
  // Without a descriptor: waits for the next signal, at most so long; 0 when there was none.
  int wait(int timeout_ms);
  SignalInbox(SignalInbox&& other) noexcept;
  SignalInbox& operator=(SignalInbox&&) = delete;
  ~SignalInbox();
  Fd fd() const { return fd_; }  // readable when a signal waits
  // The next signal's number, 0 when there is none.
  Result<int> next();

 private:
  SignalInbox() = default;
  UniqueFd fd_;
  sigset_t before_{};
  bool armed_ = false;
};

// Takes the signal of a child that has been waited for out of a SignalInbox, which would otherwise
// wake its reader for nothing. (One for another child is lost with it: not where orphans come.)
void forget_child_signal();
// Puts one there: for a child that may have ended before the signal of another was forgotten.
void remember_child_signal();

// Reaps children that have ended before `pid` has: orphans that a subreaper has inherited.
void reap_others_than(pid_t pid);

// Between fork and exec of somebody else's program: no signal is ignored or blocked, whatever was
// here and at our caller.
void default_signals();

}  // namespace ocirt::sys
