#include "src/sys/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <ctime>

#include "src/base/text.h"
#include "src/sys/clock.h"
#include "src/sys/control_file.h"
#include "src/sys/file.h"
#include "src/sys/retry.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

namespace ocirt::sys {

Result<std::optional<ProcessStat>> process_stat(pid_t pid) {
  std::string path = cat("/proc/", pid, "/stat");
  Result<std::string> text = read_control(kCwd, path);
  if (!text) {
    // ESRCH: the process went away between open and read.
    if (text.error().code == ENOENT || text.error().code == ESRCH) return std::nullopt;
    return std::unexpected(std::move(text).error());
  }
  // The name in parentheses may hold anything, ")" included: fields count from the last one.
  std::string_view fields = *text;
  size_t name_end = fields.rfind(')');
  if (name_end == std::string_view::npos) return refuse(cat("read ", path, ": not understood"));
  std::vector<std::string_view> field = split(trim(fields.substr(name_end + 1)), ' ');
  // Fields 3, 4, 22 and 33 of proc(5).
  constexpr size_t kState = 0, kParent = 1, kStartTime = 19, kIgnored = 30;
  if (field.size() <= kIgnored || field[kState].size() != 1) {
    return refuse(cat("read ", path, ": not understood"));
  }
  ProcessStat stat;
  stat.state = field[kState][0];
  stat.parent = to_number<pid_t>(field[kParent]).value_or(0);
  stat.ignored_signals = to_number<uint64_t>(field[kIgnored]).value_or(0);
  stat.start_time = to_number<uint64_t>(field[kStartTime]).value_or(0);
  return stat;
}

Result<UniqueFd> pidfd_open(pid_t pid) {
  long fd = ::syscall(SYS_pidfd_open, pid, 0);
  if (fd < 0) {
    // A number that lives on as that of a session, a process group or a thread names no process:
    // EINVAL before Linux 6.9, and for a thread ENOENT since 6.15.
    const bool none = pid > 0 && (errno == EINVAL || errno == ENOENT);
    return os_error(cat("pidfd_open ", pid), none ? ESRCH : errno);
  }
  return UniqueFd(static_cast<int>(fd));
}

Result<> send_signal(Fd pidfd, int signal) {
  if (::syscall(SYS_pidfd_send_signal, pidfd.raw(), signal, nullptr, 0) < 0) {
    return os_error(cat("send signal ", signal), errno);
  }
  return {};
}

Result<bool> wait_until_heard(Fd channel, Fd pidfd) {
  // The kernel looks at them one after the other. The process may speak and end between the two:
  // what is looked at after its end shows all that it has said.
  pollfd entries[] = {{pidfd.raw(), POLLIN, 0}, {channel.raw(), POLLIN, 0}};
  if (retry([&] { return ::poll(entries, 2, -1); }) < 0) return os_error("poll pidfd", errno);
  return entries[1].revents != 0;
}

Result<bool> wait_until_ended(Fd pidfd, int timeout_ms) {
  pollfd entry{pidfd.raw(), POLLIN, 0};
  const int64_t end = timeout_ms > 0 ? monotonic_ms() + timeout_ms : 0;
  for (int left = timeout_ms;;) {
    int ready = ::poll(&entry, 1, left);
    if (ready > 0) return true;
    if (ready == 0) return false;
    if (errno != EINTR) return os_error("poll pidfd", errno);
    if (timeout_ms > 0) left = static_cast<int>(std::max<int64_t>(0, end - monotonic_ms()));
  }
}

namespace {

// With WNOHANG nothing as long as the child lives.
Result<std::optional<ExitStatus>> wait_with(Fd pidfd, int options) {
  siginfo_t info{};
  if (retry([&] {
        return ::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(pidfd.raw()), &info,
                        WEXITED | options);
      }) < 0) {
    return os_error("wait for child", errno);
  }
  if (info.si_pid == 0) return std::nullopt;
  ExitStatus status;
  if (info.si_code == CLD_EXITED) {
    status.code = info.si_status;
  } else {
    status.signal = info.si_status;
  }
  return status;
}

}  // namespace

Result<ExitStatus> wait_child(Fd pidfd) { return *TRY(wait_with(pidfd, 0)); }

Result<std::optional<ExitStatus>> ended_child(Fd pidfd) { return wait_with(pidfd, WNOHANG); }

Kinship kinship(Fd pidfd) {
  siginfo_t info{};
  if (::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(pidfd.raw()), &info,
               WEXITED | WNOHANG | WNOWAIT) < 0)
    return Kinship::none;
  return info.si_pid == 0 ? Kinship::child : Kinship::ended_child;
}

void kill_child(pid_t pid) {
  siginfo_t info{};
  if (pid > 0 && ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0)
    (void)::kill(pid, SIGKILL);
}

void kill_children_after(pid_t pid) {
  const Result<std::optional<ProcessStat>> first = process_stat(pid);
  const Result<std::string> list = read_file(kCwd, "/proc/thread-self/children");
  if (!first || !*first || !list) return;
  for (std::string_view word : split(trim(*list), ' ')) {
    const pid_t child = to_number<pid_t>(word).value_or(0);
    if (child <= pid) continue;
    const Result<std::optional<ProcessStat>> stat = process_stat(child);
    if (stat && *stat && (*stat)->start_time >= (*first)->start_time) kill_child(child);
  }
}

Result<std::optional<ExitStatus>> end_of(Fd pidfd, bool of_parent) {
  if (!of_parent) return TRY(wait_child(pidfd));
  (void)TRY(wait_until_ended(pidfd, -1));
  return std::nullopt;
}

Result<> become_subreaper() {
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0) return os_error("become subreaper", errno);
  return {};
}

Result<> setns(Fd ns, int flags) {
  if (::setns(ns.raw(), flags) < 0) return os_error("setns", errno);
  return {};
}

pid_t own_pid() { return ::getpid(); }
pid_t own_parent() { return ::getppid(); }
uint32_t effective_uid() { return static_cast<uint32_t>(::getauxval(AT_EUID)); }
uint32_t effective_gid() { return static_cast<uint32_t>(::getauxval(AT_EGID)); }
uint32_t own_uid() { return static_cast<uint32_t>(::getauxval(AT_UID)); }
bool is_inherited(Fd fd) {
  int flags = ::fcntl(fd.raw(), F_GETFD);
  return flags >= 0 && (flags & FD_CLOEXEC) == 0;
}

Result<UniqueFd> duplicate_from(Fd fd, int lowest) {
  const int copy = ::fcntl(fd.raw(), F_DUPFD_CLOEXEC, lowest);
  if (copy < 0) return os_error("duplicate a descriptor", errno);
  return UniqueFd(copy);
}

const char* const* own_environment() { return ::environ; }

void exit_now(int code) { ::_exit(code); }

}  // namespace ocirt::sys
