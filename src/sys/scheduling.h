// Scheduler, I/O priority and processors of a process (sched_setattr(2), ioprio_set(2),
// sched_setaffinity(2)), of which glibc 2.36 offers only the last. `pid` 0 is the caller. Errors
// say what was tried.
#pragma once

#include <sys/types.h>

#include <span>
#include <vector>

#include "src/base/result.h"

namespace ocirt::sys {

// `attributes` is a struct sched_attr whose first word is its size.
Result<> set_scheduler(pid_t pid, const void* attributes);

// `value` as the kernel packs it: the class above, the level below.
Result<> set_io_priority(pid_t pid, int value);

// A mask, the lowest processor in the lowest bit of the first word.
Result<> set_affinity(pid_t pid, std::span<const unsigned long> mask);
Result<std::vector<unsigned long>> affinity(pid_t pid);

}  // namespace ocirt::sys
