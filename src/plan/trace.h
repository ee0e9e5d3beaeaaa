// Where init writes when each of its steps began, for `ocirt --trace`: memory that it shares with
// ocirt, and that is there only then. Data only: usable without a libc.
#pragma once

#include <cstdint>

namespace ocirt::plan {

struct TraceMark {
  char step[24];         // NUL-terminated, cut short if it must be
  uint64_t nanoseconds;  // CLOCK_MONOTONIC
};

struct TraceBlock {
  static constexpr uint32_t kMost = 60;
  uint32_t count;  // of marks that have been written
  uint32_t unused;
  TraceMark marks[kMost];
};

}  // namespace ocirt::plan
