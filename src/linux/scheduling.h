// Scheduler, I/O priority, memory policy and personality as the numbers of their system calls
// (config.md, "Linux Process"; config-linux.md, "Memory policy", "Personality"). Pure: the child
// makes the calls.
#pragma once

#include <cstdint>

#include "oci-spec/linux.h"
#include "oci-spec/process.h"
#include "src/base/result.h"
#include "src/linux/cpu_list.h"

namespace ocirt {

// struct sched_attr of sched_setattr(2) as of Linux 5.3 (SCHED_ATTR_SIZE_VER1). glibc has none, and
// <linux/sched/types.h> clashes with <sched.h>.
struct SchedulerAttributes {
  uint32_t size = 56;
  uint32_t policy = 0;
  uint64_t flags = 0;
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t runtime = 0;
  uint64_t deadline = 0;
  uint64_t period = 0;
  uint32_t util_min = 0;
  uint32_t util_max = 0;

  bool operator==(const SchedulerAttributes&) const = default;
};
static_assert(sizeof(SchedulerAttributes) == 56);

// `process.scheduler`. Errors name the property ("scheduler.nice: ..."): nice outside -20..19, a
// priority without FIFO or RR, runtime/deadline/period without DEADLINE, SCHED_ISO, which no kernel
// has.
Result<SchedulerAttributes> scheduler_attributes(const oci::Scheduler& scheduler);

// `process.ioPriority` as the value of ioprio_set(2): the class in the upper bits, 0 to 7 below.
Result<int> io_priority_value(const oci::IoPriority& priority);

// `linux.personality` as the argument of personality(2). Error for any flag: the specification
// defines none, and several lower the security.
Result<unsigned long> personality_value(const oci::Personality& personality);

// `linux.memoryPolicy` as the arguments of set_mempolicy(2).
struct MemoryPolicyArguments {
  int mode = 0;                // MPOL_* | MPOL_F_*
  NumberSet nodes;             // empty: pass a null pointer
  unsigned long max_node = 0;  // the kernel reads max_node - 1 bits; 0 with empty nodes

  bool operator==(const MemoryPolicyArguments&) const = default;
};
Result<MemoryPolicyArguments> memory_policy_arguments(const oci::MemoryPolicy& policy);

}  // namespace ocirt
