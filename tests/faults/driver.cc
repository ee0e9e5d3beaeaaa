#include "tests/faults/driver.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <stdexcept>

#include "tests/support/files.h"

namespace harness {
namespace {

// Calls that a C library makes before main(): a failure there ends any program, and nobody can say
// why.
bool is_startup(long number) {
  switch (number) {
    case SYS_execve:  // the first of a program that was executed from our log's beginning
    case SYS_brk:
    case SYS_arch_prctl:
    case SYS_set_tid_address:
    case SYS_set_robust_list:
    case SYS_rseq:
    case SYS_mprotect:
    case SYS_prlimit64:
    case SYS_readlink:
    case SYS_getrandom:
    case SYS_mmap:
      return true;
    default:
      return false;
  }
}

// What the kernel may answer to such a call on a machine in trouble.
std::vector<int> errors_of(long number) {
  switch (number) {
    case SYS_exit:
    case SYS_exit_group:
    case SYS_rt_sigreturn:
    case SYS_rt_sigprocmask:
    case SYS_rt_sigaction:
    case SYS_getpid:
    case SYS_gettid:
    case SYS_getuid:
    case SYS_geteuid:
    case SYS_getgid:
    case SYS_getegid:
    case SYS_umask:
    case SYS_brk:            // answers with the break that there is
    case SYS_close:          // whatever it says, the descriptor is closed
    case SYS_clock_gettime:  // with clocks that there are
    case SYS_restart_syscall:
      return {};  // these cannot fail
    case SYS_openat:
    case SYS_openat2:
      return {EMFILE, ENOMEM};
    case SYS_read:
    case SYS_pread64:
    case SYS_recvmsg:
    case SYS_recvfrom:
      return {EINTR, EIO};
    case SYS_write:
    case SYS_writev:
    case SYS_pwrite64:
      return {EINTR, ENOSPC};
    case SYS_sendmsg:
    case SYS_sendto:
      return {EINTR, ENOBUFS};
    case SYS_accept4:
      return {EMFILE, ECONNABORTED};
    case SYS_mkdirat:
    case SYS_symlinkat:
    case SYS_mknodat:
    case SYS_renameat:
    case SYS_ftruncate:
      return {ENOSPC};
    case SYS_clone:
    case SYS_clone3:
    case SYS_fork:
    case SYS_vfork:
      return {EAGAIN, ENOMEM};
    case SYS_poll:
    case SYS_ppoll:
    case SYS_wait4:
    case SYS_waitid:
    case SYS_epoll_wait:
    case SYS_epoll_pwait:
      return {EINTR};
    case SYS_mmap:
    case SYS_mremap:
    case SYS_mprotect:
      return {ENOMEM};
    case SYS_memfd_create:
    case SYS_pipe2:
    case SYS_socketpair:
    case SYS_epoll_create1:
      return {ENOMEM, EMFILE};
    default:
      return {EPERM, ENOMEM};
  }
}

int sample() {
  const char* every = std::getenv("FAULTS_SAMPLE");
  return every != nullptr ? std::max(1, std::atoi(every)) : 1;
}

}  // namespace

std::ostream& operator<<(std::ostream& stream, const Fault& fault) {
  return stream << "call " << fault.call.number << " (number " << fault.call.turn << " of process "
                << fault.call.process << ") "
                << (fault.error == 0 ? "killed" : strerrorname_np(fault.error));
}

Args fault_run(const std::string& log, const std::optional<Fault>& fault, pid_t pid) {
  const char* told = std::getenv("FAULT_RUN");
  // A command may run in another directory.
  char path[PATH_MAX];
  if (::realpath(told != nullptr ? told : "build/test/fault-run", path) == nullptr)
    throw std::runtime_error("fault-run is missing");
  Args words = {path, "--free", "busybox", "--log", log};
  if (fault) {
    std::ostringstream where;
    where << fault->call.process << ':' << fault->call.number << ':' << fault->call.turn << ':'
          << fault->error;
    words.insert(words.end(), {"--at", where.str()});
  }
  if (pid != 0) words.insert(words.end(), {"--pid", std::to_string(pid)});
  words.push_back("--");
  return words;
}

std::vector<Call> read_calls(const std::string& log) {
  std::vector<Call> calls;
  for (const std::string& line : lines(read_file(log))) {
    Call call;
    if (std::istringstream(line) >> call.process >> call.number >> call.turn >> call.argument)
      calls.push_back(call);
  }
  return calls;
}

bool has_hit(const std::string& log) { return contains(lines(read_file(log)), "hit"); }

std::string complaint(const std::optional<Fault>& fault, const Outcome& outcome,
                      const std::string& what) {
  std::ostringstream text;
  if (fault)
    text << *fault;
  else
    text << "without a fault";
  text << ": " << what << "\n" << outcome << "\n";
  if (!fault) ADD_FAILURE() << text.str();
  return text.str();
}

std::vector<Fault> faults_in(const std::vector<Call>& calls, int watched) {
  std::vector<Fault> faults;
  if (const char* only = std::getenv("FAULTS_ONLY")) {
    Fault fault;
    if (std::sscanf(only, "%d:%ld:%d:%d", &fault.call.process, &fault.call.number, &fault.call.turn,
                    &fault.error) != 4)
      throw std::runtime_error("FAULTS_ONLY");
    return {fault};
  }
  bool starting = true;
  int position = 0;
  for (const Call& call : calls) {
    if (call.process < watched) continue;
    std::vector<int> errors = errors_of(call.number);
    if (call.process == 0 && watched == 0) {
      starting = starting && is_startup(call.number);
      if (starting) errors.clear();
    }
    errors.push_back(0);
    for (const int error : errors)
      if (position++ % sample() == 0) faults.push_back({call, error});
  }
  return faults;
}

}  // namespace harness
