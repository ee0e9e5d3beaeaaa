// What containers get by the machine that they are on: whether its cgroups count swap, how much
// memory it has, and what its kernel lets us say of it.
#pragma once

#include <cstdint>
#include <optional>

#include "src/base/result.h"

namespace ocirt::podfile {

struct Machine {
  uint64_t memory = 0;       // bytes
  bool limits_swap = false;  // a cgroup of it can
  // Lower than this no oom score can be made (proc_pid_oom_score_adj(5)); absent: none is too low.
  std::optional<int> least_oom_score = {};
};

// Looks at it. Changes nothing.
Result<Machine> this_machine();

}  // namespace ocirt::podfile
