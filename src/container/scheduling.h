// process.scheduler, process.ioPriority and process.execCPUAffinity: decided with the plan, but
// carried out by ocirt and not by init. A policy with SCHED_FLAG_RESET_ON_FORK does not survive a
// fork and a process under SCHED_DEADLINE may not even make one, while init goes on in a child when
// it joins a pid namespace (init/successor.cc), and then has no rights left to set them. ocirt has
// them, and knows the last process.
#pragma once

#include <sys/types.h>

#include <optional>
#include <vector>

#include "oci-spec/spec.h"
#include "src/base/result.h"
#include "src/linux/cpu_list.h"
#include "src/linux/scheduling.h"
#include "src/plan/builder.h"

namespace ocirt::container {

struct Scheduling {
  std::optional<SchedulerAttributes> scheduler;
  std::optional<int> io_priority;
  NumberSet initial_cpus;  // of an exec, before it enters the container's cgroup; empty: as we are
  NumberSet final_cpus;    // and after

  // Whether apply_scheduling() has anything to do.
  bool applies() const { return scheduler || io_priority || !final_cpus.empty(); }
};

// Decides; errors name the property below `place`. The affinity is for `exec` only: the container's
// own process has none (config.md, "Linux Process").
Result<Scheduling> draft_scheduling(const oci::Process& process, std::string_view place,
                                    bool is_exec);

// linux.memoryPolicy and linux.personality into the plan: only a process itself can set them.
Result<> draft_policies(plan::Builder& builder, const std::optional<oci::MemoryPolicy>& memory,
                        const std::optional<oci::Personality>& personality);

// Puts all but `initial_cpus` in force for a process that is ready to go on.
Result<> apply_scheduling(pid_t pid, const Scheduling& scheduling);

// While it lives, this process runs on `initial_cpus`, and so does what it starts: the only way to
// be there before the cgroup, into which a process may be born.
class [[nodiscard]] OnInitialCpus {
 public:
  OnInitialCpus() = default;
  OnInitialCpus(OnInitialCpus&& other) noexcept : before_(std::move(other.before_)) {}
  OnInitialCpus& operator=(OnInitialCpus&&) = delete;
  ~OnInitialCpus() { restore(); }
  void restore();

 private:
  friend Result<OnInitialCpus> move_to_initial_cpus(const Scheduling& scheduling);
  std::vector<unsigned long> before_;  // empty: nothing to restore
};
Result<OnInitialCpus> move_to_initial_cpus(const Scheduling& scheduling);

}  // namespace ocirt::container
