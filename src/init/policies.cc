// linux.memoryPolicy and linux.personality (config-linux.md): what only the process itself can set.
// Both survive fork and exec. Before the user is changed, because profiles of seccomp that may be
// loaded there allow neither call in every form.
#include "src/init/init.h"

namespace ocirt::init {

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
