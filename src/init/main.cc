// The life of a container's process as one table: what happens, and in which order.
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

#include <cstring>

#include "src/bare/entry.h"
#include "src/init/channel.h"
#include "src/init/init.h"
#include "src/plan/segment.h"
#include "src/plan/trace.h"

namespace ocirt::init {
namespace {

struct Step {
  const char* name;
  void (*run)(Init&);
};

// A new container. Each step finds what it needs in the plan and does nothing when there is
// nothing.
// clang-format off
constexpr Step kContainer[] = {
    {"cpu affinity", forget_cpu_affinity},
    {"namespaces", join_namespaces},  // -- in a user namespace, beyond this point it is user 0 there
    {"keyring label", label_keyring},
    {"keyring", join_keyring},
    {"hostname", set_names},
    {"oom score", adjust_oom_score},
    {"rootfs", prepare_root},
    {"mounts", perform_mounts},
    {"devices", make_devices},
    {"console", open_console},
    {"hooks", run_create_hooks},  // their paths are the host's: the root is still the old one
    {"sysctl", write_sysctls},    // through the host's /proc, which no image can have prepared
    {"security label", set_labels},  // through it too; hooks above run without
    {"masked paths", seal_paths},
    {"pivot", switch_root},  // -- beyond this point no path of the host can be reached
    {"rlimits", set_rlimits},
    {"memory policy", set_memory_policy},
    {"personality", set_personality},
    {"cwd", enter_directory},
    {"descriptors", close_descriptors},  // before a filter can forbid it; what comes later is close-on-exec
    {"pid namespace", move_before_user},
    {"user", become_user},  // -- beyond this point init has the container's rights only
    {"process", find_program},
    {"environment", complete_environment},
    {"pid namespace", move_after_user},
    {"ready", report_ready},  // -- beyond this point ocirt may be gone
    {"start", await_start},
    {"startContainer hooks", run_start_hooks},
    {"execution", announce_execution},
    {"seccomp", load_late_filter},
};
// clang-format on

// One more process in a running container.
// clang-format off
constexpr Step kExec[] = {
    {"cpu affinity", forget_cpu_affinity},
    {"oom score", adjust_oom_score},
    {"keyring label", label_keyring},
    {"keyring", join_keyring},
    {"security label", set_labels},
    {"namespaces", join_namespaces},  // -- beyond this point no path of the host can be reached
    {"console", open_console},
    {"rlimits", set_rlimits},
    {"memory policy", set_memory_policy},
    {"personality", set_personality},
    {"cwd", enter_directory},
    {"descriptors", close_descriptors},  // before a filter can forbid it; what comes later is close-on-exec
    {"pid namespace", move_before_user},
    {"user", become_user},            // -- beyond this point init has the container's rights only
    {"process", find_program},
    {"environment", complete_environment},
    {"pid namespace", move_after_user},
    {"ready", report_ready},
    {"start", await_start},
    {"execution", announce_execution},
    {"seccomp", load_late_filter},
};
// clang-format on

// Mounts for a running container. It joins what they are made of, but no pid namespace: nobody in
// the container can see this process.
constexpr Step kMounts[] = {
    {"namespaces", join_namespaces},  // -- beyond this point no path of the host can be reached
    {"rootfs", open_joined_root},
    {"mounts", perform_mounts},
    {"ready", end_mounts},
};

// For `ocirt --trace`. What fails here is no reason to fail: the steps are then not shown.
plan::TraceBlock* open_trace(int fd) {
  if (fd < 0) return nullptr;
  long block = bare::call(SYS_mmap, nullptr, sizeof(plan::TraceBlock), PROT_READ | PROT_WRITE,
                          MAP_SHARED, fd, 0);
  bare::close(fd);
  if (block < 0 && block > -4096) return nullptr;
  return reinterpret_cast<plan::TraceBlock*>(block);  // NOLINT(performance-no-int-to-ptr)
}

[[gnu::cold, gnu::noinline]] void note(plan::TraceBlock& trace, std::string_view step) {
  if (trace.count >= plan::TraceBlock::kMost) return;
  plan::TraceMark& mark = trace.marks[trace.count];
  timespec now{};
  bare::call(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
  step = step.substr(0, sizeof mark.step - 1);
  std::memcpy(mark.step, step.data(), step.size());
  mark.nanoseconds =
      static_cast<uint64_t>(now.tv_sec) * 1000000000 + static_cast<uint64_t>(now.tv_nsec);
  ++trace.count;
}

// Mapped with us by the kernel.
plan::View own_plan(const char* name) {
  const bare::Self self;
  const auto* headers = reinterpret_cast<const plan::Headers*>(self.base);
  const Elf64_Phdr& segment = headers->segments[plan::kPlanHeader];
  // Executed by somebody else through /proc/PID/exe.
  if (segment.p_type != PT_LOAD || std::string_view(name) != plan::kInitName) bare::exit_now(125);
  return plan::View(self.base + segment.p_vaddr);
}

}  // namespace

[[noreturn]] void main(const char* name) {
  // Nobody in the container may look into init while it still has more rights than they have.
  bare::prctl(PR_SET_DUMPABLE, 0);
  const plan::View view = own_plan(name);
  Init init{view, view.plan()};
  init.channel = init.plan.channel;
  // Of what exec makes, only a working directory has a mode.
  const bool makes = init.plan.purpose != plan::Purpose::exec || init.plan.process.create_cwd;
  if (makes) bare::call(SYS_umask, 0);
  plan::TraceBlock* trace = open_trace(init.plan.trace);
  auto run = [&](const auto& steps) {
    for (const Step& step : steps) {
      if (trace != nullptr) [[unlikely]]
        note(*trace, step.name);
      init.step = step.name;
      step.run(init);
    }
  };
  if (init.plan.purpose == plan::Purpose::exec) {
    run(kExec);
  } else if (init.plan.purpose == plan::Purpose::mounts) {
    run(kMounts);
  } else {
    run(kContainer);
  }
  init.step = "exec";
  if (trace != nullptr) note(*trace, init.step);
  execute_program(init);
}

}  // namespace ocirt::init
