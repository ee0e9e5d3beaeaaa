// Workers: forked copies of the shim that each do one thing and end. What an operation of the
// runtime reads, allocates and waits for is the worker's, so a hook or a file system that hangs
// holds up one worker and not the pod, containers are made side by side, and the shim's own memory
// stays as it is. A container's init is made as a child of the shim (LaunchRequest::for_parent).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "src/base/closure.h"
#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/sys/event_loop.h"
#include "src/sys/fork.h"

namespace ocirt::shim {

// What a worker hands back.
struct Done {
  pid_t pid = 0;  // of the process that it has made, or 0
  uint64_t start_time = 0;
  std::string text = {};      // an answer of at most kMostText bytes, or it is an error
  std::string warnings = {};  // one line each
};
inline constexpr size_t kMostText = size_t{1} << 20;  // the pids of 130,000 processes

struct Job {
  std::string name = {};              // for errors: "create web"
  Fd standard[3] = {};                // streams of the worker, and of what it starts
  bool own_errors = false;            // standard error is kept, and its end goes into an error
  bool own_output = false;            // standard output too
  bool makes_process = false;         // a child of the shim, whose end may come before its number
  std::vector<int> keep = {};         // further descriptors that it needs
  sys::Nanoseconds timeout{};         // then it is killed; 0: never
  Closure<Result<Done>()> work = {};  // in the worker
  Closure<void(Result<Done>)> finished = {};  // in the shim, from the loop
};

class Workers {
 public:
  // `huge_pages`: they were disabled for us, and are not to be for what workers start.
  explicit Workers(sys::EventLoop& loop, bool huge_pages = false);
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  ~Workers();

  // Forks, and returns the worker's pid. When that fails `finished` hears of it before this
  // returns, with 0.
  pid_t start(Job job);
  // Ends it at once; `finished` hears of it.
  void kill(pid_t worker);
  // Whether one runs that makes a process.
  bool any_makes_process() const;

  // A child has ended. True: it was a worker, and its `finished` has been called.
  bool ended(pid_t pid, sys::ExitStatus status);

 private:
  class Running;
  sys::EventLoop& loop_;
  bool huge_pages_;
  std::vector<std::unique_ptr<Running>> running_;
};

}  // namespace ocirt::shim
