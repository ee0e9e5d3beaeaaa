#include "src/sys/first_process.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <span>

#include "src/base/text.h"
#include "src/sys/fifo.h"
#include "src/sys/file.h"
#include "src/sys/fork.h"
#include "src/sys/user_namespace.h"

namespace ocirt::sys {
namespace {

// As Kubernetes' first process of a pod is called.
constexpr const char* kName = "pause";

// What it tells its parent, once.
struct Report {
  int error = 0;              // 0: it is ready
  bool of_directory = false;  // the step is about FirstProcess::empty
  char step[60] = {};
};

// A step that fails ends the process: it must not be seen with more than it should have.
class Steps {
 public:
  explicit Steps(int parent) : parent_(parent) {}

  void must(long result, std::string_view step, bool of_directory = false) const {
    if (result < 0) tell({.error = errno, .of_directory = of_directory}, step);
    if (result < 0) ::_exit(1);
  }
  void ready() const { tell({}, ""); }

 private:
  void tell(Report report, std::string_view step) const {
    step.copy(report.step, sizeof report.step - 1);
    if (::write(parent_, &report, sizeof report) < 0) ::_exit(1);
  }
  int parent_;
};

void give_up_rights(const Steps& steps) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2] = {};
  steps.must(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "set no_new_privs");
  steps.must(::syscall(SYS_capset, &header, none), "give up capabilities");
  steps.must(::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "be hidden in /proc");
}

void enter_empty_root(const Steps& steps, const char* directory) {
  steps.must(::unshare(CLONE_NEWNS), "unshare the mount namespace");
  steps.must(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "make / private");
  steps.must(
      ::mount("tmpfs", directory, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4k,mode=555"),
      "mount its empty root on", true);
  steps.must(::chdir(directory), "enter its empty root,", true);
  steps.must(::syscall(SYS_pivot_root, ".", "."), "pivot_root");
  steps.must(::umount2(".", MNT_DETACH), "unmount the host's root");
  steps.must(::chdir("/"), "enter /");
  steps.must(::mount(nullptr, "/", nullptr,
                     MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr),
             "make / read-only");
}

// Where the kernel has the command line of this process, which is what ps(1) shows.
std::span<char> command_line() {
  const Result<std::string> stat = read_file(kCwd, "/proc/self/stat");
  if (!stat) return {};
  // proc_pid_stat(5): behind the name in parentheses comes field 3; arg_start is 48, arg_end 49.
  const size_t name_end = stat->rfind(')');
  if (name_end == std::string::npos || name_end + 2 > stat->size()) return {};
  const std::vector<std::string_view> fields =
      split(std::string_view(*stat).substr(name_end + 2), ' ');
  if (fields.size() <= 49 - 3) return {};
  const auto begin = to_number<uintptr_t>(fields[48 - 3]),
             end = to_number<uintptr_t>(fields[49 - 3]);
  if (!begin || !end || *begin == 0 || *end <= *begin) return {};
  // The kernel says it as a number. NOLINTNEXTLINE(performance-no-int-to-ptr)
  return {reinterpret_cast<char*>(*begin), *end - *begin};
}

// Our own command line is nobody's business in there.
void take_name(std::span<char> command_line, std::string_view name) {
  if (command_line.size() <= name.size()) return;
  std::ranges::fill(command_line, '\0');
  std::ranges::copy(name, command_line.begin());
}

[[noreturn]] void be_first(const FirstProcess& kind, const Steps& steps, int claimed,
                           std::span<char> command_line) {
  // Nothing but the end of a child reaches it; blocked signals do nothing.
  sigset_t all, child;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  ::sigemptyset(&child);
  ::sigaddset(&child, SIGCHLD);
  ::prctl(PR_SET_PDEATHSIG, 0);
  ::prctl(PR_SET_NAME, kName);
  take_name(command_line, kName);
  steps.must(::setsid(), "setsid");
  enter_empty_root(steps, kind.empty.c_str());
  if (kind.becomes_root) steps.must(become_root() ? 0 : -1, "become root of the user namespace");
  give_up_rights(steps);
  steps.ready();
  // Unless our parent has seen to it that we are found again, nobody would ever end us.
  char byte = 0;
  if (::read(claimed, &byte, 1) != 1) ::_exit(1);
  close_all_but({});
  for (int fd = 0; fd < 3; ++fd) ::close(fd);
  for (;;) {
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    (void)::sigwaitinfo(&child, nullptr);
  }
}

// What it said, or nothing if it ended without a word.
Result<> hear(Fd ready, std::string_view directory) {
  Report report;
  if (::read(ready.raw(), &report, sizeof report) != ssize_t{sizeof report})
    return refuse("the process ended before it was ready");
  report.step[sizeof report.step - 1] = '\0';
  std::string step = report.step;
  if (report.of_directory) step += cat(" ", directory);
  if (report.error != 0) return os_error(step, report.error);
  return {};
}

}  // namespace

Result<> start_first_process(const FirstProcess& kind, Closure<Result<>(pid_t)> claim) {
  Pipe ready = TRY(make_pipe());
  Pipe claimed = TRY(make_pipe());
  TRY(set_waiting(ready.from, true));
  TRY(set_waiting(claimed.from, true));
  const std::span<char> line = command_line();
  if (kind.makes_pid_namespace && ::unshare(CLONE_NEWPID) < 0)
    return os_error("unshare the pid namespace", errno);
  const pid_t pid = ::fork();
  if (pid < 0) return os_error("fork", errno);
  if (pid == 0) {
    claimed.to.reset();
    be_first(kind, Steps(ready.to.raw()), claimed.from.raw(), line);
  }
  ready.to.reset();
  Result<> done = hear(ready.from, kind.empty);
  if (done) done = claim(pid);
  if (done && ::write(claimed.to.raw(), "x", 1) != 1) done = os_error("write", errno);
  if (!done) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  return done;
}

}  // namespace ocirt::sys
