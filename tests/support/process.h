// Processes of the host side: run a command with a time limit, capture what it says, and account
// for every process that it leaves behind (the test program is a subreaper, so those become ours).
#pragma once

#include <sys/types.h>

#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace harness {

// A system call that is to fail as if the kernel did not have it.
struct MissingCall {
  int number = -1;
  unsigned argument = 0;  // only where this one, counted from 0, ...
  unsigned value = 0;     // ... has this value
  int error = 0;
};

struct Command {
  std::vector<std::string> argv = {};
  std::string input = {};                                     // fed to stdin, then end of file
  std::vector<std::pair<std::string, std::string>> env = {};  // added to ours
  std::string directory = {};                                 // "" stays where we are
  std::vector<int> descriptors = {};                          // become 3, 4, ... (borrowed)
  int terminal = -1;  // becomes the controlling terminal and descriptors 0, 1, 2 (borrowed)
  std::optional<MissingCall> missing = {};  // for the command and all that it starts
  bool use_pipes = false;  // stdout and stderr are pipes read while the command runs, not files
  int time_limit_ms = 60000;
};

struct Outcome {
  std::vector<std::string> argv;
  int code = -1;  // exit status, or 128 + signal
  bool timed_out = false;
  std::string out, err;

  bool ok() const { return code == 0; }
};
std::ostream& operator<<(std::ostream& stream, const Outcome& outcome);

// A command under way. The destructor kills and reaps it. stdout and stderr go to files that
// whatever the command leaves behind continues to write, see output().
class Process {
 public:
  explicit Process(Command command);
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  pid_t pid() const { return pid_; }
  // Waits for the end; kills at the time limit, which is a test failure.
  Outcome wait();
  void signal(int number);
  bool is_over();

  // Everything said so far, by the command and by its descendants.
  std::string output() const;
  std::string errors() const;

 private:
  void pump(int milliseconds);
  bool reap();

  Command command_;
  pid_t pid_ = -1;
  std::optional<int> code_;
  int input_ = -1, out_ = -1, err_ = -1;
  size_t fed_ = 0;
  std::string piped_out_, piped_err_;
};

Outcome run_command(Command command);

// Reaps the processes that we inherited. Called wherever a test waits, as a container's manager
// would on SIGCHLD.
void reap_orphans();
// How an inherited process ended (exit status or 128 + signal), once it was reaped.
std::optional<int> orphan_status(pid_t pid);
// Inherited processes that live still, with their command lines.
std::vector<std::pair<pid_t, std::string>> living_orphans();
// Waits until the process is gone or a zombie.
bool wait_for_end(pid_t pid, int milliseconds = 30000);

}  // namespace harness
