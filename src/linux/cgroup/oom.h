// What the kernel reports about a cgroup on its own: that the memory limit has cost a process its
// life, and that nobody is left inside. Both versions tell through poll(2), so nothing is asked
// again and again: v2 by memory.events and cgroup.events (cgroup-v2.rst), v1 by an event counter
// that is registered in cgroup.event_control for memory.oom_control (cgroup-v1/memory.rst, 10).
#pragma once

#include <cstdint>
#include <string>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/linux/cgroup/cgroup.h"

namespace ocirt::cgroup {

class OomWatch {
 public:
  // Looks at the container's cgroup from now on. `init` is a pidfd of its first process: where no
  // file tells that the cgroup is empty (v1 alone), the end of that process stands for it. A host
  // without the memory controller has no events to tell; the end is told all the same.
  static Result<OomWatch> open(const Location& location, Fd init);

  struct Change {
    uint64_t kills = 0;  // by the memory limit, since the last answer
    bool ended = false;  // nobody is inside any more, or the cgroup is gone
  };
  // Waits for a change, at most `timeout_ms` milliseconds; nothing has changed when the time is
  // over.
  Result<Change> wait(int timeout_ms);

 private:
  uint64_t count_kills();
  bool is_empty();

  std::string directory_;  // of the memory controller on v1
  UniqueFd memory_;        // memory.events, or the event counter of v1
  UniqueFd populated_;     // cgroup.events
  Fd init_;                // the caller's
  bool is_v1_ = false;
  uint64_t known_kills_ = 0;
};

}  // namespace ocirt::cgroup
