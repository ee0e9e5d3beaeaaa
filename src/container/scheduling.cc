#include "src/container/scheduling.h"

#include <cerrno>
#include <utility>

#include "src/base/text.h"
#include "src/sys/scheduling.h"

namespace ocirt::container {
namespace {

// "process" and "scheduler.nice: ..." as "process.scheduler.nice: ...".
template <class T>
Result<T> below(std::string_view place, Result<T> result) {
  if (!result) result.error().text.insert(0, cat(place, "."));
  return result;
}

Result<NumberSet> cpus(const std::optional<std::string>& list, std::string_view name) {
  if (!list) return NumberSet();
  return within(cat("execCPUAffinity.", name), parse_number_list(*list));
}

// What the kernel means by EPERM is one of several things, and the user can change each.
Result<> explain(Result<> done, std::string_view why) {
  if (!done && done.error().code == EPERM) done.error().text += cat(" (", why, ")");
  return done;
}

Result<> set_cpus(pid_t pid, const NumberSet& set, std::string_view name) {
  return within(cat("process.execCPUAffinity.", name, ": run on CPUs ", number_list(set)),
                sys::set_affinity(pid, set.words));
}

}  // namespace

Result<Scheduling> draft_scheduling(const oci::Process& process, std::string_view place,
                                    bool is_exec) {
  Scheduling scheduling;
  if (process.scheduler) {
    scheduling.scheduler = TRY(below(place, scheduler_attributes(*process.scheduler)));
  }
  if (process.io_priority) {
    scheduling.io_priority = TRY(below(place, io_priority_value(*process.io_priority)));
  }
  if (process.exec_cpu_affinity) {
    const oci::ExecCpuAffinity& affinity = *process.exec_cpu_affinity;
    NumberSet initial = TRY(below(place, cpus(affinity.initial, "initial")));
    NumberSet final = TRY(below(place, cpus(affinity.final, "final")));
    if (is_exec) {
      scheduling.initial_cpus = std::move(initial);
      scheduling.final_cpus = std::move(final);
    }
  }
  return scheduling;
}

Result<> draft_policies(plan::Builder& builder, const std::optional<oci::MemoryPolicy>& memory,
                        const std::optional<oci::Personality>& personality) {
  plan::Process& process = builder.plan.process;
  if (memory) {
    const MemoryPolicyArguments arguments = TRY(memory_policy_arguments(*memory));
    process.set_memory_policy = true;
    process.memory_mode = static_cast<uint32_t>(arguments.mode);
    process.memory_nodes = builder.list(arguments.nodes.words);
    process.most_memory_nodes = arguments.max_node;
  }
  if (personality) {
    process.set_personality = true;
    process.personality = TRY(personality_value(*personality));
  }
  return {};
}

Result<> apply_scheduling(pid_t pid, const Scheduling& scheduling) {
  // First: under SCHED_DEADLINE the CPUs can no longer be chosen.
  if (!scheduling.final_cpus.empty()) TRY(set_cpus(pid, scheduling.final_cpus, "final"));
  if (scheduling.scheduler) {
    TRY(explain(within("process.scheduler", sys::set_scheduler(pid, &*scheduling.scheduler)),
                "without CAP_SYS_NICE, in a cgroup v1 without cpu.rt_runtime_us, or for "
                "SCHED_DEADLINE on a part of the CPUs"));
  }
  if (scheduling.io_priority) {
    TRY(explain(within("process.ioPriority", sys::set_io_priority(pid, *scheduling.io_priority)),
                "IOPRIO_CLASS_RT takes CAP_SYS_ADMIN or CAP_SYS_NICE"));
  }
  return {};
}

void OnInitialCpus::restore() {
  if (!before_.empty()) (void)sys::set_affinity(0, std::exchange(before_, {}));
}

Result<OnInitialCpus> move_to_initial_cpus(const Scheduling& scheduling) {
  OnInitialCpus there;
  if (scheduling.initial_cpus.empty()) return there;
  std::vector<unsigned long> before = TRY(sys::affinity(0));
  TRY(set_cpus(0, scheduling.initial_cpus, "initial"));
  there.before_ = std::move(before);
  return there;
}

}  // namespace ocirt::container
