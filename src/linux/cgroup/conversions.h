// Values of the specification, which speaks the language of cgroup v1, in the units of cgroup v2
// (config-linux.md, "Control groups"). Pure. Private to src/linux/cgroup/.
#pragma once

#include <cstdint>
#include <string>

#include "src/base/result.h"

namespace ocirt::cgroup {

// linux.resources.cpu.shares (2 to 262144, default 1024) as cpu.weight (1 to 10000, default 100).
// The curve goes through the three pairs of minimum, default and maximum: with l = log2(shares) it
// is 10^((l^2 + 125 l) / 612 - 7/34), rounded up, the one that runc and crun have used since 2025.
// The straight line before that gave a container with default shares a weight of 39 instead of 100.
uint64_t weight_from_shares(uint64_t shares);

// linux.resources.blockIO.weight (10 to 1000) as io.weight (1 to 10000): a straight line.
uint64_t io_weight_from_weight(uint64_t weight);

// linux.resources.memory.swap limits memory and swap together, memory.swap.max swap alone. Both
// numbers are bytes and negative for "unlimited"; so is the result. A sum below the memory limit is
// refused.
Result<int64_t> swap_without_memory(int64_t swap, int64_t limit);

// "max" for negative values, as the files of v2 say it.
std::string number_or_max(int64_t value);

}  // namespace ocirt::cgroup
