#include "src/bare/run_hook.h"

#include <linux/sched.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "src/bare/syscall.h"

namespace ocirt::bare {
namespace {

constexpr int kBadSystemCall = 31;  // SIGSYS
constexpr int kPidfd = 3;           // P_PIDFD of waitid(2)

int64_t now_ms() {
  timespec now{};
  call(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// The end of a stream, kept without growing: when the buffer is full its first half goes.
class Tail {
 public:
  void add(const char* bytes, size_t size) {
    if (size > kSize / 2) {
      bytes += size - kSize / 2;
      size = kSize / 2;
    }
    if (used_ + size > kSize) {
      size_t drop = used_ + size - kSize;
      std::memmove(bytes_, bytes_ + drop, used_ - drop);
      used_ -= drop;
    }
    std::memcpy(bytes_ + used_, bytes, size);
    used_ += size;
  }
  // One line: what an error message can carry.
  void put(Buffer<512>& out) {
    size_t begin = 0;
    while (used_ > 0 && (bytes_[used_ - 1] == '\n' || bytes_[used_ - 1] == ' ')) --used_;
    if (used_ - begin > 500) begin = used_ - 500;
    for (size_t i = begin; i < used_; ++i) {
      if (static_cast<unsigned char>(bytes_[i]) < 0x20) bytes_[i] = ' ';
    }
    out << std::string_view(bytes_ + begin, used_ - begin);
  }

 private:
  static constexpr size_t kSize = 1024;
  char bytes_[kSize] = {};
  size_t used_ = 0;
};

constexpr int kReport = 3;             // behind the standard streams
constexpr int64_t kPatienceMs = 2000;  // for the end of what was killed

// In the hook's process: descriptors, signals, then the program. On failure errno goes through the
// close-on-exec pipe `report`.
[[noreturn]] void become_hook(const HookRequest& request, int output, int report) {
  // Without whoever waits for it nobody would end it in time, or hear how it ended. Daemons that it
  // leaves behind are no children of his.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  unsigned long none = 0;
  call(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof none);
  long error = call(SYS_dup3, request.state, 0, 0);
  if (error >= 0) error = call(SYS_dup3, request.out >= 0 ? request.out : output, 1, 0);
  if (error >= 0) error = call(SYS_dup3, request.err >= 0 ? request.err : output, 2, 0);
  // Nothing of ocirt or of the container's other processes may reach a hook (CVE-2016-9962's kind).
  // Closed here and not by execve, which may hang: a lock would be held for as long as that lasts.
  if (error >= 0 && report != kReport) {
    error = call(SYS_dup3, report, kReport, O_CLOEXEC);
    if (error >= 0) report = kReport;
  }
  if (error >= 0) error = call(SYS_close_range, kReport + 1, ~0U, 0);
  if (error >= 0 && request.filter != nullptr)
    error = call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, request.filter_flags, request.filter);
  if (error >= 0) error = call(SYS_execve, request.path, request.argv, request.envp);
  int code = static_cast<int>(-error);
  write(report, &code, sizeof code);
  exit_now(127);
}

// A copy of this process; its pidfd for the parent. A container's own filter may be in force
// already, and the usual ones answer ENOSYS to clone3, whose arguments no filter can see.
long fork_with_pidfd(int& pidfd) {
  clone_args args{};
  args.flags = CLONE_PIDFD;
  args.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  long pid = call(SYS_clone3, &args, sizeof args);
  if (pid != -ENOSYS && pid != -EPERM) return pid;
  return call(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, &pidfd, nullptr, 0);
}

}  // namespace

HookResult run_hook(const HookRequest& request) {
  HookResult result;
  int output[2] = {-1, -1};
  int report[2] = {-1, -1};
  int pidfd = -1;
  long pid = call(SYS_pipe2, output, O_CLOEXEC | O_NONBLOCK);
  if (pid >= 0) pid = call(SYS_pipe2, report, O_CLOEXEC);
  if (pid >= 0) {
    if (request.state >= 0) call(SYS_lseek, request.state, 0L, SEEK_SET);
    pid = fork_with_pidfd(pidfd);
  }
  if (pid == 0) {
    // The writing end must block in the hook, or a hook that prints much would see EAGAIN.
    call(SYS_fcntl, output[1], F_SETFL, 0);
    become_hook(request, output[1], report[1]);
  }
  close(output[1]);
  close(report[1]);
  if (pid < 0) {
    close(output[0]);
    close(report[0]);
    result.end = HookEnd::not_started;
    result.detail = static_cast<int>(-pid);
    return result;
  }

  // Wait for the hook's end, not for the end of its output: a daemon that it left behind may hold
  // the pipe for ever. The execve counts as well: its file system may not answer.
  int64_t deadline = now_ms() + int64_t{request.timeout_s} * 1000;
  const bool limited = request.timeout_s != 0;
  Tail tail;
  char chunk[1024];
  bool reading = true;
  for (bool ended = false; !ended;) {
    pollfd entries[2] = {{pidfd, POLLIN, 0}, {reading ? output[0] : -1, POLLIN, 0}};
    timespec left{};
    if (limited) {
      int64_t ms = deadline - now_ms();
      if (ms <= 0 && result.end == HookEnd::timed_out) {
        // Not even SIGKILL ends a wait for a file system that has taken the question.
        result.remains = true;
        break;
      }
      if (ms <= 0) {
        call(SYS_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0);
        result.end = HookEnd::timed_out;
        result.detail = static_cast<int>(request.timeout_s);
        ms = kPatienceMs;
        deadline = now_ms() + ms;
      }
      left = {ms / 1000, ms % 1000 * 1000000};
    }
    long ready = call(SYS_ppoll, entries, 2, limited ? &left : nullptr, nullptr, 0);
    if (ready <= 0) continue;
    if (entries[1].revents != 0) {
      long got = read(output[0], chunk, sizeof chunk);
      if (got > 0) tail.add(chunk, static_cast<size_t>(got));
      if (got == 0 || (got < 0 && got != -EAGAIN)) reading = false;
    }
    ended = entries[0].revents != 0;
  }
  siginfo_t info{};
  int exec_error = 0;
  if (!result.remains) {
    call_again(SYS_waitid, kPidfd, pidfd, &info, WEXITED, nullptr);
    if (read(report[0], &exec_error, sizeof exec_error) == sizeof exec_error) {
      result.end = HookEnd::not_started;
      result.detail = exec_error;
    }
  }
  close(report[0]);
  for (int rounds = 0; reading && rounds < 1024; ++rounds) {  // what it printed last
    long got = read(output[0], chunk, sizeof chunk);
    if (got <= 0) break;
    tail.add(chunk, static_cast<size_t>(got));
  }
  close(output[0]);
  close(pidfd);
  tail.put(result.output);
  if (result.end == HookEnd::success && (info.si_code != CLD_EXITED || info.si_status != 0)) {
    result.end = info.si_code == CLD_EXITED ? HookEnd::exited : HookEnd::killed;
    result.detail = info.si_status;
  }
  return result;
}

void describe_hook_failure(Buffer<1024>& out, const char* kind, uint32_t index, const char* path,
                           const HookResult& result) {
  out << "error running hook: hooks." << kind << "[" << index << "] (" << path << "): ";
  switch (result.end) {
    case HookEnd::success:
      return;
    case HookEnd::not_started:
      out << "could not be executed";
      break;
    case HookEnd::exited:
      out << "exited with status " << result.detail;
      break;
    case HookEnd::killed:
      out << "was killed by signal " << result.detail;
      if (result.detail == kBadSystemCall) out << " (bad system call: a seccomp filter forbids it)";
      break;
    case HookEnd::timed_out:
      out << "did not end within its timeout of " << result.detail << " s";
      if (result.remains) out << " and cannot be killed: it waits for a file system or device";
      break;
  }
  if (!result.output.view().empty()) out << "; its last output: " << result.output.view();
}

}  // namespace ocirt::bare
