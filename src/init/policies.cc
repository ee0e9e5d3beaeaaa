// linux.memoryPolicy and linux.personality (config-linux.md): what only the process itself can set.
// Both survive fork and exec. Before the user is changed, because profiles of seccomp that may be
// loaded there allow neither call in every form. And CPU affinity, which is forgotten at once.
#include "src/init/init.h"

namespace ocirt::init {

// What the caller is bound to (CPUAffinity= of an engine's service) is not the container's: since
// Linux 6.2 the kernel keeps such a mask and cuts every cpuset down to it. With more CPUs than
// there can be it has those of the cpuset, whichever they become. No failure: who forbids it, or a
// caller with SCHED_DEADLINE, leaves the container where it is.
void forget_cpu_affinity(Init& init) {
  if (init.plan.keeps_cpus) return;
  uint64_t all[8192 / 64];  // NR_CPUS at most; by more the kernel is not disturbed
  for (uint64_t& word : all) word = ~uint64_t{0};
  bare::call(SYS_sched_setaffinity, 0, sizeof all, all);
}

void set_memory_policy(Init& init) {
  const plan::Process& process = init.plan.process;
  if (!process.set_memory_policy) return;
  auto nodes = init.list(process.memory_nodes);
  const uint64_t* mask = nodes.empty() ? nullptr : nodes.data();
  long result = bare::call(SYS_set_mempolicy, process.memory_mode, mask, process.most_memory_nodes);
  if (result == -ENOSYS) fail(init, 0, "linux.memoryPolicy: this kernel has no memory policies");
  if (result == -EINVAL) {
    fail(init, EINVAL,
         "linux.memoryPolicy: set_mempolicy (a mode that this kernel lacks, or nodes "
         "that are not of this host or not in linux.resources.cpu.mems)");
  }
  must(init, result, "linux.memoryPolicy: set_mempolicy");
}

void set_personality(Init& init) {
  const plan::Process& process = init.plan.process;
  if (!process.set_personality) return;
  must(init, bare::call(SYS_personality, process.personality), "linux.personality: personality");
}

}  // namespace ocirt::init
