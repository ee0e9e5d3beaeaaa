// Runs a command and lets one system call of one of its processes fail, or kills the process there.
//
// Usage: fault-run [--log FILE] [--at PROCESS:NUMBER:TURN:ERRNO] [--free NAME] [--pid PID]
//                  -- COMMAND...
//
//   --log   one line for each system call, "PROCESS NUMBER TURN FIRST-ARGUMENT": processes are
//           counted from 0 in the order in which they are made, and TURN from 1 for each number in
//           each process, after its first execve, so that a call more or less of another kind on
//           the way does not change what is meant. A line "hit" says that --at has happened
//   --at    that call is not made and returns the error; errno 0 is SIGKILL at its entry
//   --free  a process that executes a program of this file name is no longer followed
//   --pid   this process, which runs already, is followed too: as the next after the command
//
// Ends as the command does (128 + signal when that killed it), 125 when it cannot follow it. What
// the command leaves running goes on, unfollowed. The command "-" is none: "follow PID" is printed
// when all that is to be followed is, and fault-run ends when that PID is told to (SIGTERM). If
// fault-run is killed, all that it follows is (EXITKILL). ptrace(2): with PTRACE_SEIZE, since a
// process that is seized can be stopped and left at any time.
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
  int process = -1, turn = -1, error = 0;
  unsigned long long number = 0;
  std::string free;
  pid_t pid = 0;
  char** command = nullptr;
};

struct Followed {
  int index = 0;
  bool began = true;  // the command has, when its program has been executed
  std::map<unsigned long long, int> turns = {};
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
      if (sscanf(value, "%d:%llu:%d:%d", &options.process, &options.number, &options.turn,
                 &options.error) != 4)
        fail("--at");
    } else if (word == "--free") {
      options.free = value;
    } else if (word == "--pid") {
      options.pid = atoi(value);
    }
  }
  fprintf(stderr, "fault-run: see the head of fault_run.cc\n");
  _exit(125);
}

class Tracer {
 public:
  explicit Tracer(const Options& options) : options_(options) {}

  int run() {
    if (strcmp(options_.command[0], "-") == 0) {
      main_ = fork();
      if (main_ == 0) {
        signal(SIGTERM, SIG_DFL);
        for (;;) pause();
      }
      ++next_;
    } else {
      start();
    }
    if (options_.pid != 0) {
      seize(options_.pid, true);
    }
    if (next_ != 0 && !followed_.contains(main_)) {
      printf("follow %d\n", main_);
      fflush(stdout);
    }
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
  void start() {
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
    seize(main_, false);
    if (write(gate[1], "x", 1) != 1) fail("write");
    close(gate[1]);
  }

  void seize(pid_t pid, bool began) {
    constexpr long kOptions = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                              PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
    if (ptrace(PTRACE_SEIZE, pid, nullptr, kOptions) != 0) fail("PTRACE_SEIZE");
    // To be resumed from stop to stop it has to be stopped once.
    if (ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr) != 0) fail("PTRACE_INTERRUPT");
    followed_[pid] = {.index = next_++, .began = began};
  }

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
        followed_[made] = {.index = next_++};
        if (early_.erase(made) != 0) go_on(made, 0);
        return go_on(pid, 0);
      }
      case PTRACE_EVENT_EXEC:
        followed_[pid].began = true;
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
    } else if (info.op == PTRACE_SYSCALL_INFO_ENTRY && process.began) {
      const unsigned long long number = info.entry.nr;
      const int turn = ++process.turns[number];
      if (options_.log != nullptr)
        fprintf(options_.log, "%d %llu %d %lld\n", process.index, number, turn,
                static_cast<long long>(info.entry.args[0]));
      if (process.index == options_.process && number == options_.number && turn == options_.turn) {
        if (options_.log != nullptr) fprintf(options_.log, "hit\n");
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

  // What still runs is the command's daemon, or a container. In the order in which they stop: one
  // that waits for a child's exec (vfork) does not before that child has been let go.
  void leave_all() {
    for (const auto& [pid, process] : followed_) ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr);
    for (const pid_t pid : early_) ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
    while (!followed_.empty()) {
      int status = 0;
      const pid_t pid = waitpid(-1, &status, __WALL);
      if (pid < 0) return;
      const int event = status >> 16;
      if (WIFSTOPPED(status) && (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK ||
                                 event == PTRACE_EVENT_CLONE)) {
        unsigned long child = 0;
        ptrace(PTRACE_GETEVENTMSG, pid, nullptr, &child);
        if (early_.erase(static_cast<pid_t>(child)) == 0) followed_[static_cast<pid_t>(child)] = {};
      }
      if (!WIFSTOPPED(status) || followed_.contains(pid)) {
        followed_.erase(pid);
      } else {
        early_.insert(pid);
      }
      if (!WIFSTOPPED(status)) continue;
      const bool is_signal = event == 0 && WSTOPSIG(status) != (SIGTRAP | 0x80);
      ptrace(PTRACE_DETACH, pid, nullptr, is_signal ? static_cast<long>(WSTOPSIG(status)) : 0);
    }
  }

  const Options& options_;
  pid_t main_ = -1;
  int next_ = 0;
  std::map<pid_t, Followed> followed_;
  std::set<pid_t> early_;
  std::optional<int> code_;
};

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  return Tracer(options).run();
}
