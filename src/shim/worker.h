// Workers: forked copies of the shim that each do one thing and end. What an operation of the
// runtime reads, allocates and waits for is the worker's, so a hook or a file system that hangs
// holds up one worker and not the pod, containers are made side by side, and the shim's own memory
// stays as it is. A container's init is made as a child of the shim (LaunchRequest::for_parent).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "src/base/callback.h"
#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/shim/loop.h"
#include "src/sys/fork.h"

namespace ocirt::shim {

// What a worker hands back.
struct Done {
  pid_t pid = 0;  // of the process that it has made, or 0
  uint64_t start_time = 0;
  std::string text;      // an answer of at most kMostText bytes
  std::string warnings;  // one line each
};
inline constexpr size_t kMostText = 32768;  // fits into a pipe that nobody reads yet

struct Job {
  std::string name;  // for errors: "create of web"
  Fd standard[3];    // streams of the worker, and of what it starts
  bool own_errors = false;   // standard error is kept and its end goes into an error
  std::vector<int> keep;     // further descriptors that it needs
  int64_t timeout_ms = 0;    // then it is killed; 0: never
  Callback<Result<Done>()> work;         // in the worker
  Callback<void(Result<Done>)> finished;  // in the shim, from the loop
};

class Workers {
 public:
  explicit Workers(Loop& loop) : loop_(loop) {}
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  ~Workers();

  // Forks. A failure to do so reaches `finished` as well, before this returns. The worker's pid; 0:
  // none.
  pid_t start(Job job);
  // Ends it at once; `finished` hears of it.
  void kill(pid_t worker);
  bool any() const { return !running_.empty(); }

  // A child has ended. True: it was a worker, and its `finished` has been called.
  bool ended(pid_t pid, sys::ExitStatus status);

 private:
  struct Running {
    pid_t pid = 0;
    std::string name;
    UniqueFd answer, errors;
    std::string last_words;
    Loop::TimerId timer = 0;
    bool timed_out = false;
    Callback<void(Result<Done>)> finished;
  };
  void listen(pid_t pid, Fd errors);
  Running* find(pid_t pid);

  Loop& loop_;
  std::vector<Running> running_;
};

}  // namespace ocirt::shim
