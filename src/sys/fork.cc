#include "src/sys/fork.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <vector>

#include "src/base/text.h"
#include "src/sys/file.h"
#include "src/sys/retry.h"

namespace ocirt::sys {
namespace {

// As <linux/pidfd.h> of Linux 6.15 has it; older headers lack it.
struct PidfdInfo {
  uint64_t mask;
  uint64_t cgroupid;
  uint32_t pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
  int32_t exit_code;
};
constexpr uint64_t kPidfdInfoExit = 1 << 3;
constexpr unsigned long kPidfdGetInfo = _IOWR(0xFF, 11, PidfdInfo);

ExitStatus exit_status(const siginfo_t& info) {
  ExitStatus status;
  (info.si_code == CLD_EXITED ? status.code : status.signal) = info.si_status;
  return status;
}

void become(const Fork& how) {
  int fds[3];
  // Out of the way of 0 to 2 first: one of them may be among those that are asked for.
  for (int i = 0; i < 3; ++i) {
    fds[i] = how.standard[i].valid() ? ::fcntl(how.standard[i].raw(), F_DUPFD_CLOEXEC, 3) : -1;
  }
  for (int i = 0; i < 3; ++i) {
    if (fds[i] < 0) fds[i] = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (fds[i] < 0 || ::dup2(fds[i], i) < 0) ::close(i);  // rather none than the parent's
  }
  close_all_but(how.keep);
}

// What a child has started would go on for nobody. The handler ends with the next exec, and who is
// forked off does not get the signal.
void end_group_with(pid_t parent) {
  struct sigaction action{};
  action.sa_handler = [](int) { ::kill(0, SIGKILL); };
  ::sigaction(SIGUSR2, &action, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGUSR2);
  if (::getppid() != parent) ::_exit(1);
}

}  // namespace

void close_all_but(std::span<const int> keep) {
  std::vector<int> sorted(keep.begin(), keep.end());
  std::sort(sorted.begin(), sorted.end());
  unsigned next = 3;
  for (int fd : sorted) {
    if (fd < static_cast<int>(next)) continue;
    const auto number = static_cast<unsigned>(fd);
    if (number > next) ::syscall(SYS_close_range, next, number - 1, 0);
    next = number + 1;
  }
  ::syscall(SYS_close_range, next, ~0U, 0);
}

Result<pid_t> fork_child(const Fork& how) {
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return os_error("fork", errno);
  if (pid > 0) return pid;
  if (how.leads_group) ::setpgid(0, 0);
  if (how.dies_with_us && how.leads_group) {
    end_group_with(parent);
  } else if (how.dies_with_us) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
  }
  become(how);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  return 0;
}

Result<UniqueFd> make_answer_file() { return memory_file("ocirt-answer"); }

std::string read_answer_file(Fd file, size_t limit) {
  struct stat info{};
  if (::fstat(file.raw(), &info) < 0) return {};
  std::string bytes(std::min(static_cast<size_t>(info.st_size), limit), '\0');
  // By position: the offset, which the child has in common with us, is at the end.
  const ssize_t got = retry([&] { return ::pread(file.raw(), bytes.data(), bytes.size(), 0); });
  bytes.resize(got < 0 ? 0 : static_cast<size_t>(got));
  return bytes;
}

std::optional<Reaped> reap_any() {
  siginfo_t info{};
  if (retry([&] { return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG); }) < 0 || info.si_pid == 0)
    return std::nullopt;
  return Reaped{info.si_pid, exit_status(info)};
}

std::optional<ExitStatus> recorded_exit(Fd pidfd) {
  PidfdInfo info{};
  info.mask = kPidfdInfoExit;
  if (::ioctl(pidfd.raw(), kPidfdGetInfo, &info) < 0) return std::nullopt;
  if ((info.mask & kPidfdInfoExit) == 0) return std::nullopt;
  ExitStatus status;
  if (WIFSIGNALED(info.exit_code)) {
    status.signal = WTERMSIG(info.exit_code);
  } else {
    status.code = WEXITSTATUS(info.exit_code);
  }
  return status;
}

Result<> signal_child(pid_t pid, int signal) {
  if (pid <= 0) return os_error(cat("send signal ", signal), ESRCH);
  if (::kill(pid, signal) < 0) return os_error(cat("send signal ", signal), errno);
  return {};
}

void signal_group(pid_t leader, int signal) {
  if (leader > 1) (void)::kill(-leader, signal);
}

Result<> detach_from_caller() {
  if (::setsid() < 0) return os_error("setsid", errno);
  if (::chdir("/") < 0) return os_error("chdir /", errno);
  ::umask(022);
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return os_error("open /dev/null", errno);
  for (int i = 0; i < 3; ++i) ::dup2(null, i);
  if (null > 2) ::close(null);
  return {};
}

}  // namespace ocirt::sys
