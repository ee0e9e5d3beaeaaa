// Numbers of sched_setattr(2), ioprio_set(2), set_mempolicy(2) and personality(2).
//
// What the kernel would refuse with a bare EINVAL is refused here with the name of the property,
// since by the time of the system call nobody can tell which of nine fields it disliked.
#include "src/linux/scheduling.h"

#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <linux/sched.h>
#include <sys/personality.h>

#include "src/base/text.h"

namespace ocirt {
namespace {

// Linux 6.9; in no header of Debian 12.
constexpr int kMpolWeightedInterleave = 6;

Result<uint32_t> policy_number(oci::SchedulerPolicy policy) {
  switch (policy) {
    using enum oci::SchedulerPolicy;
    case kOther:
      return uint32_t{SCHED_NORMAL};
    case kFifo:
      return uint32_t{SCHED_FIFO};
    case kRr:
      return uint32_t{SCHED_RR};
    case kBatch:
      return uint32_t{SCHED_BATCH};
    case kIdle:
      return uint32_t{SCHED_IDLE};
    case kDeadline:
      return uint32_t{SCHED_DEADLINE};
    case kIso:
      break;
  }
  return refuse("scheduler.policy: not supported: no Linux kernel has SCHED_ISO, only its number");
}

uint64_t flag_number(oci::SchedulerFlag flag) {
  switch (flag) {
    using enum oci::SchedulerFlag;
    case kResetOnFork:
      return SCHED_FLAG_RESET_ON_FORK;
    case kReclaim:
      return SCHED_FLAG_RECLAIM;
    case kDeadlineOverrun:
      return SCHED_FLAG_DL_OVERRUN;
    case kKeepPolicy:
      return SCHED_FLAG_KEEP_POLICY;
    case kKeepParams:
      return SCHED_FLAG_KEEP_PARAMS;
    case kUtilClampMin:
      return SCHED_FLAG_UTIL_CLAMP_MIN;
    case kUtilClampMax:
      return SCHED_FLAG_UTIL_CLAMP_MAX;
  }
  return 0;
}

int mode_number(oci::MemoryPolicyMode mode) {
  switch (mode) {
    using enum oci::MemoryPolicyMode;
    case kDefault:
      return MPOL_DEFAULT;
    case kPreferred:
      return MPOL_PREFERRED;
    case kBind:
      return MPOL_BIND;
    case kInterleave:
      return MPOL_INTERLEAVE;
    case kLocal:
      return MPOL_LOCAL;
    case kPreferredMany:
      return MPOL_PREFERRED_MANY;
    case kWeightedInterleave:
      return kMpolWeightedInterleave;
  }
  return MPOL_DEFAULT;
}

int mode_flag_number(oci::MemoryPolicyFlag flag) {
  switch (flag) {
    using enum oci::MemoryPolicyFlag;
    case kNumaBalancing:
      return MPOL_F_NUMA_BALANCING;
    case kRelativeNodes:
      return MPOL_F_RELATIVE_NODES;
    case kStaticNodes:
      return MPOL_F_STATIC_NODES;
  }
  return 0;
}

}  // namespace

Result<SchedulerAttributes> scheduler_attributes(const oci::Scheduler& scheduler) {
  using enum oci::SchedulerPolicy;
  SchedulerAttributes out;
  out.policy = TRY(policy_number(scheduler.policy));

  out.nice = scheduler.nice.value_or(0);
  if (out.nice < -20 || out.nice > 19) {
    return refuse(cat("scheduler.nice: ", out.nice, " is out of range, -20 to 19"));
  }

  // An explicit 0 means the same as nothing: engines write every field of their Go structure.
  int32_t priority = scheduler.priority.value_or(0);
  bool real_time = scheduler.policy == kFifo || scheduler.policy == kRr;
  if (real_time && (priority < 1 || priority > 99)) {
    return refuse(cat("scheduler.priority: ", priority, " is out of range, 1 to 99 for ",
                      oci::to_string(scheduler.policy)));
  }
  if (!real_time && priority != 0) {
    return refuse("scheduler.priority: only SCHED_FIFO and SCHED_RR have a priority");
  }
  out.priority = static_cast<uint32_t>(priority);

  out.runtime = scheduler.runtime.value_or(0);
  out.deadline = scheduler.deadline.value_or(0);
  out.period = scheduler.period.value_or(0);
  bool has_times = (out.runtime | out.deadline | out.period) != 0;
  if (scheduler.policy != kDeadline && has_times) {
    return refuse("scheduler: only SCHED_DEADLINE has runtime, deadline and period");
  }
  if (scheduler.policy == kDeadline) {
    // The kernel's order: runtime <= deadline <= period, where a period of 0 stands for the
    // deadline.
    if (out.runtime == 0 || out.deadline == 0) {
      return refuse("scheduler: SCHED_DEADLINE needs runtime and deadline");
    }
    if (out.runtime > out.deadline || (out.period != 0 && out.deadline > out.period)) {
      return refuse("scheduler: SCHED_DEADLINE needs runtime <= deadline <= period");
    }
  }

  for (oci::SchedulerFlag flag : scheduler.flags) out.flags |= flag_number(flag);
  return out;
}

Result<int> io_priority_value(const oci::IoPriority& priority) {
  int level = priority.priority.value_or(0);
  if (level < 0 || level >= IOPRIO_NR_LEVELS) {
    return refuse(cat("ioPriority.priority: ", level, " is out of range, 0 to 7"));
  }
  int io_class = IOPRIO_CLASS_NONE;
  switch (priority.class_) {
    using enum oci::IoPriorityClass;
    case kRealtime:
      io_class = IOPRIO_CLASS_RT;
      break;
    case kBestEffort:
      io_class = IOPRIO_CLASS_BE;
      break;
    case kIdle:
      io_class = IOPRIO_CLASS_IDLE;
      break;
  }
  return io_class << IOPRIO_CLASS_SHIFT | level;
}

Result<unsigned long> personality_value(const oci::Personality& personality) {
  if (!personality.flags.empty()) {
    return refuse(cat("linux.personality.flags: not supported: ", quoted(personality.flags[0]),
                      "; the specification defines no flag, leave the list empty"));
  }
  if (!personality.domain) return refuse("linux.personality.domain: is required");
  return *personality.domain == oci::PersonalityDomain::kLinux32 ? 0ul + PER_LINUX32
                                                                 : 0ul + PER_LINUX;
}

Result<MemoryPolicyArguments> memory_policy_arguments(const oci::MemoryPolicy& policy) {
  using enum oci::MemoryPolicyMode;
  if (!policy.mode) return refuse("linux.memoryPolicy.mode: is required");
  oci::MemoryPolicyMode mode = *policy.mode;

  MemoryPolicyArguments out;
  out.mode = mode_number(mode);
  int flags = 0;
  for (oci::MemoryPolicyFlag flag : policy.flags) flags |= mode_flag_number(flag);
  if ((flags & MPOL_F_STATIC_NODES) != 0 && (flags & MPOL_F_RELATIVE_NODES) != 0) {
    return refuse(
        "linux.memoryPolicy.flags: MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each "
        "other");
  }
  if ((flags & MPOL_F_NUMA_BALANCING) != 0 && mode != kBind && mode != kPreferredMany) {
    return refuse(
        "linux.memoryPolicy.flags: MPOL_F_NUMA_BALANCING goes with MPOL_BIND or "
        "MPOL_PREFERRED_MANY");
  }
  out.mode |= flags;

  out.nodes = TRY(
      within("linux.memoryPolicy.nodes", parse_number_list(policy.nodes.value_or(std::string()))));
  bool needs_nodes =
      mode == kBind || mode == kInterleave || mode == kWeightedInterleave || mode == kPreferredMany;
  if (needs_nodes && out.nodes.empty()) {
    return refuse(
        cat("linux.memoryPolicy.nodes: ", oci::to_string(mode), " needs at least one node"));
  }
  if ((mode == kDefault || mode == kLocal) && !out.nodes.empty()) {
    return refuse(cat("linux.memoryPolicy.nodes: ", oci::to_string(mode), " takes no nodes"));
  }
  if (mode == kLocal && flags != 0) {
    return refuse("linux.memoryPolicy.flags: MPOL_LOCAL takes no flags");
  }
  if (mode == kPreferred && flags != 0 && out.nodes.empty()) {
    return refuse("linux.memoryPolicy.nodes: MPOL_PREFERRED with flags needs at least one node");
  }
  // set_mempolicy(2) reads one bit less than maxnode says.
  if (!out.nodes.empty()) out.max_node = out.nodes.words.size() * 8 * sizeof(unsigned long) + 1;
  return out;
}

}  // namespace ocirt
