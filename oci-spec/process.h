// The process of a container: `process` of config.json, and the whole document of `exec --process`
// (config.md, "Process", "POSIX process", "Linux Process", "User").
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "oci-spec/enumeration.h"

namespace oci {

// Size of the console in characters; ignored unless `terminal` is true.
struct ConsoleSize {
  std::uint64_t height = 0;  // required
  std::uint64_t width = 0;   // required

  bool operator==(const ConsoleSize&) const = default;
};

// Who the process is, in IDs of the container's user namespace.
struct User {
  std::uint32_t uid = 0;                            // absent is 0, as for every Go caller
  std::uint32_t gid = 0;                            // absent is 0
  std::optional<std::uint32_t> umask = {};          // absent: the runtime's choice (0022)
  std::vector<std::uint32_t> additional_gids = {};  // supplementary groups

  bool operator==(const User&) const = default;
};

// The five sets of capabilities(7). Names such as "CAP_KILL" are an open vocabulary: a name that
// the kernel does not know is not the document's mistake. An empty list is an empty set.
struct Capabilities {
  std::vector<std::string> bounding = {};
  std::vector<std::string> effective = {};
  std::vector<std::string> inheritable = {};
  std::vector<std::string> permitted = {};
  std::vector<std::string> ambient = {};

  bool operator==(const Capabilities&) const = default;
};

// One resource limit; a type appears once. 18446744073709551615 is RLIM_INFINITY.
struct Rlimit {
  std::string type = {};   // required; "RLIMIT_NOFILE": open vocabulary
  std::uint64_t hard = 0;  // required; ceiling
  std::uint64_t soft = 0;  // required; enforced by the kernel

  bool operator==(const Rlimit&) const = default;
};

// ioprio_set(2) class.
enum class IoPriorityClass : std::uint8_t { kBestEffort, kIdle, kRealtime };
inline constexpr std::string_view kIoPriorityClassNames[] = {"IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE",
                                                             "IOPRIO_CLASS_RT"};
constexpr std::span<const std::string_view> names_of(IoPriorityClass) {
  return kIoPriorityClassNames;
}
static_assert(names_agree(IoPriorityClass::kRealtime));

struct IoPriority {
  IoPriorityClass class_ = IoPriorityClass::kBestEffort;  // required
  std::optional<std::int32_t> priority = {};              // 0 (highest) to 7; absent is 0

  bool operator==(const IoPriority&) const = default;
};

// sched_setattr(2) policy.
enum class SchedulerPolicy : std::uint8_t { kBatch, kDeadline, kFifo, kIdle, kIso, kOther, kRr };
inline constexpr std::string_view kSchedulerPolicyNames[] = {
    "SCHED_BATCH", "SCHED_DEADLINE", "SCHED_FIFO", "SCHED_IDLE",
    "SCHED_ISO",   "SCHED_OTHER",    "SCHED_RR"};
constexpr std::span<const std::string_view> names_of(SchedulerPolicy) {
  return kSchedulerPolicyNames;
}
static_assert(names_agree(SchedulerPolicy::kRr));

// sched_setattr(2) flags.
enum class SchedulerFlag : std::uint8_t {
  kDeadlineOverrun,
  kKeepParams,
  kKeepPolicy,
  kReclaim,
  kResetOnFork,
  kUtilClampMax,
  kUtilClampMin,
};
inline constexpr std::string_view kSchedulerFlagNames[] = {
    "SCHED_FLAG_DL_OVERRUN",    "SCHED_FLAG_KEEP_PARAMS",   "SCHED_FLAG_KEEP_POLICY",
    "SCHED_FLAG_RECLAIM",       "SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_UTIL_CLAMP_MAX",
    "SCHED_FLAG_UTIL_CLAMP_MIN"};
constexpr std::span<const std::string_view> names_of(SchedulerFlag) { return kSchedulerFlagNames; }
static_assert(names_agree(SchedulerFlag::kUtilClampMin));

struct Scheduler {
  SchedulerPolicy policy = SchedulerPolicy::kOther;  // required
  std::optional<std::int32_t> nice = {};             // -20 to 19; for OTHER and BATCH
  std::optional<std::int32_t> priority = {};         // static priority; for FIFO and RR
  std::vector<SchedulerFlag> flags = {};
  std::optional<std::uint64_t> runtime = {};   // nanoseconds; the three are for DEADLINE
  std::optional<std::uint64_t> deadline = {};  // nanoseconds, absolute
  std::optional<std::uint64_t> period = {};    // nanoseconds

  bool operator==(const Scheduler&) const = default;
};

// CPUs that `exec` runs on, as lists such as "0-3,7" (Linux 1.2.1+).
struct ExecCpuAffinity {
  std::optional<std::string> initial = {};  // before the process enters the container's cgroup
  std::optional<std::string> final = {};    // after it did

  bool operator==(const ExecCpuAffinity&) const = default;
};

struct Process {
  std::optional<bool> terminal = {};             // attach a pseudoterminal; absent is false
  std::optional<ConsoleSize> console_size = {};  // its size
  User user = {};
  std::vector<std::string> args = {};             // argv; required by `start`
  std::vector<std::string> env = {};              // "NAME=value"
  std::string cwd = {};                           // required; absolute
  std::optional<Capabilities> capabilities = {};  // absent: as the runtime has them by default
  std::vector<Rlimit> rlimits = {};
  std::optional<bool> no_new_privileges = {};  // prctl(PR_SET_NO_NEW_PRIVS)
  std::optional<std::string> apparmor_profile = {};
  std::optional<std::int64_t> oom_score_adj = {};  // -1000 to 1000; absent: left as it is
  std::optional<Scheduler> scheduler = {};
  std::optional<std::string> selinux_label = {};
  std::optional<IoPriority> io_priority = {};
  std::optional<ExecCpuAffinity> exec_cpu_affinity = {};

  bool operator==(const Process&) const = default;
};

}  // namespace oci
