// Children of an event loop: forked without executing anything, and reaped as they end. A worker is
// a copy of a small process, so that what it does can hang, fail or crash without its parent.
#pragma once

#include <sys/types.h>

#include <optional>
#include <span>
#include <string>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/sys/process.h"

namespace ocirt::sys {

// What a fork starts with.
struct Fork {
  Fd standard[3];             // become 0, 1 and 2; invalid ones become /dev/null
  std::span<const int> keep;  // stay open at their numbers; all others are closed
  bool dies_with_us = true;   // gets SIGKILL when we end
  // A process group of its own: signal_group() reaches what it starts, which with dies_with_us gets
  // SIGKILL too when we end before it does.
  bool leads_group = false;
};

// fork(2). Returns 0 in the child: its signals are unblocked, and it has to end by exit_now().
Result<pid_t> fork_child(const Fork& how);

// A file in memory in which a child leaves what it has to say. It takes as much as there is, and
// nobody has to read meanwhile: a pipe takes 64 KiB, and 8 from an ordinary user who has many
// (pipe(7), pipe-user-pages-soft).
Result<UniqueFd> make_answer_file();
// All that was written to it, up to `limit` bytes.
std::string read_answer_file(Fd file, size_t limit);

struct Reaped {
  pid_t pid = 0;
  ExitStatus status;
};

// Reaps one child that has ended, whichever it is; nothing when none has.
std::optional<Reaped> reap_any();

// How a process ended that is (or was) not our child, as the kernel keeps it for a pidfd after it
// was reaped (PIDFD_GET_INFO, Linux 6.15). Nothing when the kernel does not say, or not yet.
std::optional<ExitStatus> recorded_exit(Fd pidfd);

// The same for kill(2): only for children that have not been reaped.
Result<> signal_child(pid_t pid, int signal);
// To everybody who is left in the group of a child that leads one.
void signal_group(pid_t leader, int signal);

// Leaves session, terminal, working directory and umask of the caller; the standard streams become
// /dev/null.
Result<> detach_from_caller();
// Closes all descriptors from 3 on but these, which need not be in order.
void close_all_but(std::span<const int> keep);

}  // namespace ocirt::sys
