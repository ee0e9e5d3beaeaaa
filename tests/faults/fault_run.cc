// Runs a command and lets one system call of one of its processes fail, or kills the process there.
//
// Usage: fault-run [--log FILE] [--at PROCESS:CALL:ERRNO] [--free NAME] -- COMMAND...
//
//   --log   one line for each system call, "PROCESS CALL NUMBER FIRST-ARGUMENT": processes are
//   counted
//           from 0 in the order in which they are made, calls from 1 in each, after the first
//           execve
//   --at    that call is not made and returns the error; errno 0 is SIGKILL at its entry
//   --free  a process that executes a program of this file name is no longer followed
//
// Ends as the command does (128 + signal when that killed it), 125 when it cannot follow it. What
// the command leaves running goes on, unfollowed. If fault-run is killed, all that it follows is
// (EXITKILL). ptrace(2): with PTRACE_SEIZE, since a process that is seized can be stopped and left
// at any time.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <optional>
#include <set>
#include <string>

// Of <linux/ptrace.h>, which clashes with <sys/ptrace.h>.
#ifndef PTRACE_EVENT_STOP
#define PTRACE_EVENT_STOP 128
#endif

namespace {

struct Options {
  FILE* log = nullptr;
  int process = -1, call = -1, error = 0;
  std::string free;
  char** command = nullptr;
};

struct Followed {
  int index = 0;
  int calls = 0;
  bool fails = false;  // between the entry of the call and its exit
};

[[noreturn]] void fail(const char* what) {
  perror(what);
  _exit(125);
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--") {
      options.command = argv + i + 1;
      return options;
    }
    const char* value = argv[++i];
    if (word == "--log") {
      options.log = fopen(value, "we");
      if (options.log == nullptr) fail(value);
    } else if (word == "--at") {
      if (sscanf(value, "%d:%d:%d", &options.process, &options.call, &options.error) != 3)
        fail("--at");
    } else if (word == "--free") {
      options.free = value;
    }
  }
  fprintf(stderr, "fault-run: see the head of fault_run.cc\n");
  _exit(125);
}

class Tracer {
 public:
  explicit Tracer(const Options& options) : options_(options) {}

  int run() {
    int gate[2];
    if (pipe(gate) != 0) fail("pipe");
    main_ = fork();
    if (main_ == 0) {
      char byte;
      close(gate[1]);
      if (read(gate[0], &byte, 1) != 1) _exit(125);
      close(gate[0]);
      execvp(options_.command[0], options_.command);
      _exit(127);
    }
    close(gate[0]);
    constexpr long kOptions = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                              PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
    if (ptrace(PTRACE_SEIZE, main_, nullptr, kOptions) != 0) fail("PTRACE_SEIZE");
    // To be resumed from stop to stop it has to be stopped once.
    if (ptrace(PTRACE_INTERRUPT, main_, nullptr, nullptr) != 0) fail("PTRACE_INTERRUPT");
    followed_[main_] = {next_++};
    if (write(gate[1], "x", 1) != 1) fail("write");
    close(gate[1]);
    while (!code_) {
      int status = 0;
      const pid_t pid = waitpid(-1, &status, __WALL);
      if (pid < 0) fail("waitpid");
      handle(pid, status);
    }
    leave_all();
    if (options_.log != nullptr) fclose(options_.log);
    return *code_;
  }

 private:
  void handle(pid_t pid, int status) {
    if (!WIFSTOPPED(status)) {
      followed_.erase(pid);
      if (pid == main_) code_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
      return;
    }
    const int signal = WSTOPSIG(status), event = status >> 16;
    if (!followed_.contains(pid)) {  // its parent has yet to tell of it
      early_.insert(pid);
      return;
    }
    switch (event) {
      case PTRACE_EVENT_FORK:
      case PTRACE_EVENT_VFORK:
      case PTRACE_EVENT_CLONE: {
        unsigned long child = 0;
        ptrace(PTRACE_GETEVENTMSG, pid, nullptr, &child);
        const auto made = static_cast<pid_t>(child);
        followed_[made] = {next_++};
        if (early_.erase(made) != 0) go_on(made, 0);
        return go_on(pid, 0);
      }
      case PTRACE_EVENT_EXEC:
        began_ = true;
        if (!options_.free.empty() && program(pid) == options_.free) {
          ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
          followed_.erase(pid);
          return;
        }
        return go_on(pid, 0);
      case PTRACE_EVENT_STOP:
        if (signal != SIGTRAP) {  // SIGSTOP and its kind: it stays stopped
          ptrace(PTRACE_LISTEN, pid, nullptr, nullptr);
          return;
        }
        return go_on(pid, 0);
      default:
        if (signal == (SIGTRAP | 0x80)) return call(pid);
        return go_on(pid, signal);
    }
  }

  void call(pid_t pid) {
    Followed& process = followed_[pid];
    __ptrace_syscall_info info{};
    if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) < 0) return go_on(pid, 0);
    if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
      if (process.fails) set(pid, false);
      process.fails = false;
    } else if (info.op == PTRACE_SYSCALL_INFO_ENTRY && began_) {
      ++process.calls;
      if (options_.log != nullptr)
        fprintf(options_.log, "%d %d %llu %lld\n", process.index, process.calls,
                static_cast<unsigned long long>(info.entry.nr),
                static_cast<long long>(info.entry.args[0]));
      if (process.index == options_.process && process.calls == options_.call) {
        if (options_.error == 0) {
          kill(pid, SIGKILL);
          return;
        }
        process.fails = true;
        set(pid, true);
      }
    }
    go_on(pid, 0);
  }

  // The registers of x86-64: at the entry another call, of which there is none; at the exit its
  // result.
  void set(pid_t pid, bool entry) const {
    user_regs_struct registers{};
    if (ptrace(PTRACE_GETREGS, pid, nullptr, &registers) != 0) return;
    if (entry)
      registers.orig_rax = ~0ull;
    else
      registers.rax = static_cast<unsigned long long>(-static_cast<long long>(options_.error));
    ptrace(PTRACE_SETREGS, pid, nullptr, &registers);
  }

  static std::string program(pid_t pid) {
    char path[64], target[4096];
    snprintf(path, sizeof path, "/proc/%d/exe", pid);
    const ssize_t size = readlink(path, target, sizeof target);
    const std::string whole(target, size < 0 ? 0 : static_cast<size_t>(size));
    return whole.substr(whole.rfind('/') + 1);
  }

  static void go_on(pid_t pid, int signal) {
    ptrace(PTRACE_SYSCALL, pid, nullptr, static_cast<long>(signal));
  }

  // What still runs is the command's daemon, or a container.
  void leave_all() {
    for (const auto& [pid, process] : followed_) {
      if (ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr) != 0) continue;
      int status = 0;
      if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status)) continue;
      const bool is_signal = status >> 16 == 0 && WSTOPSIG(status) != (SIGTRAP | 0x80);
      ptrace(PTRACE_DETACH, pid, nullptr, is_signal ? static_cast<long>(WSTOPSIG(status)) : 0);
    }
    for (const pid_t pid : early_) ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
  }

  const Options& options_;
  pid_t main_ = -1;
  int next_ = 0;
  bool began_ = false;
  std::map<pid_t, Followed> followed_;
  std::set<pid_t> early_;
  std::optional<int> code_;
};

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  return Tracer(options).run();
}
