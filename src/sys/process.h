// Processes by pidfd. A pid alone never names a process here: pids are reused, so whatever waits
// for, signals or enters a process does it through a descriptor that refers to that process only.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace ocirt::sys {

// What /proc/PID/stat says (proc(5)).
struct ProcessStat {
  char state = 'X';  // R S D T Z X ...
  pid_t parent = 0;
  uint64_t ignored_signals = 0;  // bit n-1: signal n is ignored; 1 to 31 only
  uint64_t start_time =
      0;  // field 22: clock ticks since boot; with the pid it names a process for good
};

// Nothing when there is no such process (any more).
Result<std::optional<ProcessStat>> process_stat(pid_t pid);

// pidfd_open(2). Code ESRCH when there is no such process.
Result<UniqueFd> pidfd_open(pid_t pid);

// Sends a signal through pidfd_send_signal(2). Code ESRCH when the process is gone.
Result<> send_signal(Fd pidfd, int signal);

// Waits for something to read, or the end of it, on the channel: true. False: the process has ended
// and has said nothing, though others may hold the other end of the channel.
Result<bool> wait_until_heard(Fd channel, Fd pidfd);

// Waits until the process behind the pidfd has ended (whoever its parent is), at most `timeout_ms`
// milliseconds, -1 for ever. False when the time is over.
Result<bool> wait_until_ended(Fd pidfd, int timeout_ms);

// How a child of ours ended.
struct ExitStatus {
  int code = 0;    // exit status, when signal is 0
  int signal = 0;  // the signal that killed it
  // The shell's convention: status, or 128 + signal.
  int shell_code() const { return signal != 0 ? 128 + signal : code; }
};

// Reaps a child of ours; waits for its end.
Result<ExitStatus> wait_child(Fd pidfd);
// The same without waiting: nothing as long as it lives.
Result<std::optional<ExitStatus>> ended_child(Fd pidfd);
// Whether it is a child of ours, and whether it has ended; none when it has been waited for.
enum class Kinship : uint8_t { none, child, ended_child };
Kinship kinship(Fd pidfd);
// Kills it when it is a child of ours that nobody has waited for: for want of a pidfd.
void kill_child(pid_t pid);
// Kills the children of ours that came after the child `pid`, which has not been waited for: what
// it has made for us and could not name (CLONE_PARENT). Told by number and by start time, since our
// caller may have had children before it executed us.
void kill_children_after(pid_t pid);

// The same for a process that may be our parent's child instead (`of_parent`): then only its end is
// waited for, and how it ended is the parent's to learn: nothing is returned.
Result<std::optional<ExitStatus>> end_of(Fd pidfd, bool of_parent);

// Makes orphaned descendants children of this process (PR_SET_CHILD_SUBREAPER).
Result<> become_subreaper();

// setns(2).
Result<> setns(Fd ns, int flags);

pid_t own_pid();
pid_t own_parent();
// Without a system call (getauxval(3)).
uint32_t own_uid();
uint32_t effective_uid();
uint32_t effective_gid();
// Whether the number is a descriptor that our caller has passed to us: open and not close-on-exec,
// as all of our own are.
bool is_inherited(Fd fd);

// The lowest free descriptor from `lowest` on as a copy of `fd`, close-on-exec.
Result<UniqueFd> duplicate_from(Fd fd, int lowest);

// The environment that our caller gave us, as execve(2) takes it.
const char* const* own_environment();

[[noreturn]] void exit_now(int code);

}  // namespace ocirt::sys
