#include "src/sys/user_namespace.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "src/base/text.h"
#include "src/sys/file.h"
#include "src/sys/process.h"

namespace ocirt::sys {
namespace {

// A process in a new user namespace that waits until it is told to end: by the end of the pipe, so
// that it ends with us, however that happens.
struct Holder {
  pid_t pid = 0;
  UniqueFd pidfd, lifeline;

  Holder() = default;
  Holder(Holder&&) = default;
  Holder& operator=(Holder&&) = delete;
  ~Holder() {
    if (!pidfd.valid()) return;
    lifeline.reset();
    (void)wait_child(pidfd);
  }
};

Result<Holder> start_holder() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return os_error("pipe", errno);
  UniqueFd waiting(ends[0]);
  Holder holder;
  holder.lifeline = UniqueFd(ends[1]);
  int pidfd = -1;
  clone_args args{};
  args.flags = CLONE_NEWUSER | CLONE_PIDFD;
  args.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  const long pid = ::syscall(SYS_clone3, &args, sizeof args);
  if (pid == 0) {  // system calls only: nothing of the library knows of this process
    char byte = 0;
    ::syscall(SYS_close, ends[1]);
    while (::syscall(SYS_read, ends[0], &byte, 1) < 0) {
    }
    ::syscall(SYS_exit_group, 0);
  }
  if (pid < 0) {
    const int code = errno;
    if (code == ENOSPC) {
      return refuse("this host allows no more user namespaces (user.max_user_namespaces)");
    }
    return os_error("make a user namespace", code);
  }
  holder.pid = static_cast<pid_t>(pid);
  holder.pidfd = UniqueFd(pidfd);
  return holder;
}

// The signal that we get when our parent ends: the kernel forgets it when ids or rights change
// (prctl(2), PR_SET_PDEATHSIG).
class DeathSignal {
 public:
  DeathSignal() : parent_(::getppid()) { ::prctl(PR_GET_PDEATHSIG, &signal_); }
  DeathSignal(const DeathSignal&) = delete;
  DeathSignal& operator=(const DeathSignal&) = delete;
  ~DeathSignal() {
    if (signal_ == 0) return;
    ::prctl(PR_SET_PDEATHSIG, signal_);
    if (::getppid() != parent_) ::raise(signal_);
  }

 private:
  const pid_t parent_;
  int signal_ = 0;
};

}  // namespace

Result<UniqueFd> make_user_namespace(std::string_view uid_map, std::string_view gid_map) {
  Holder holder = TRY(start_holder());
  const std::string process = cat("/proc/", holder.pid);
  auto write_map = [&](std::string_view name, std::string_view map) -> Result<> {
    Result<> written = write_control(kCwd, cat(process, "/", name), map);
    if (written || written.error().code != EINVAL) return written;
    return refuse(cat(name, ": ranges overlap, or there are more than 340 of them"));
  };
  TRY(write_map("uid_map", uid_map));
  TRY(write_map("gid_map", gid_map));
  return open(kCwd, cat(process, "/ns/user"), O_RDONLY);
}

Result<> enter_new_user_namespace() {
  if (::syscall(SYS_unshare, CLONE_NEWUSER | CLONE_NEWNS) == 0) return {};
  const int code = errno;
  if (code == ENOSPC) {
    return refuse("this host allows no more user namespaces (user.max_user_namespaces)");
  }
  if (code == EPERM) {
    return refuse(
        "this host lets no ordinary user make user namespaces (kernel.unprivileged_userns_clone, "
        "kernel.apparmor_restrict_unprivileged_userns)");
  }
  return os_error("make a user namespace", code);
}

Result<> enter_user_namespace(Fd user) {
  // Before: in there it may be denied (user_namespaces(7), /proc/PID/setgroups).
  TRY(give_up_groups());
  const DeathSignal kept;
  if (::setns(user.raw(), CLONE_NEWUSER) < 0) return os_error("setns", errno);
  return {};
}

Result<> become_root() {
  const DeathSignal kept;
  if (::setresgid(0, 0, 0) < 0) return os_error("become group 0", errno);
  if (::setresuid(0, 0, 0) < 0) return os_error("become user 0", errno);
  return {};
}

Result<> give_up_groups() {
  if (::setgroups(0, nullptr) < 0) return os_error("give up groups", errno);
  return {};
}

}  // namespace ocirt::sys
