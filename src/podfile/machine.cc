#include "src/podfile/machine.h"

#include <algorithm>

#include "src/base/text.h"
#include "src/linux/capabilities.h"
#include "src/linux/cgroup/cgroup.h"
#include "src/linux/cgroup/hierarchies.h"
#include "src/sys/credentials.h"
#include "src/sys/file.h"

namespace ocirt::podfile {
namespace {

Result<uint64_t> memory() {
  const char* const path = "/proc/meminfo";
  const std::string text = TRY(sys::read_file(sys::kCwd, path));
  const std::vector<std::string_view> words = cgroup::words(cgroup::value_of(text, "MemTotal:"));
  const auto kib = words.empty() ? std::nullopt : to_number<uint64_t>(words[0]);
  if (!kib || *kib == 0) return refuse(cat(path, ": there is no MemTotal"));
  return *kib << 10;
}

// Version 1 counts it only where the kernel was told to (swapaccount=1 before Linux 5.8). With
// version 2 a limit of none holds by itself where nothing counts.
bool limits_swap(const cgroup::Host& host) {
  const auto v1 = std::ranges::find_if(host.hierarchies, [](const cgroup::Hierarchy& hierarchy) {
    return cgroup::lists_controller(hierarchy.controllers, "memory");
  });
  return v1 == host.hierarchies.end() ||
         sys::exists(sys::kCwd, cat(v1->mount_point, "/memory.memsw.limit_in_bytes"));
}

// It takes CAP_SYS_RESOURCE over the host. What we have ourselves is never too low, since all of
// the pod's processes come from us.
Result<std::optional<int>> least_oom_score() {
  const std::string ids = TRY(sys::read_file(sys::kCwd, "/proc/self/uid_map"));
  const bool is_host = cgroup::words(ids) == std::vector<std::string_view>{"0", "0", "4294967295"};
  const int resource = capability_number("CAP_SYS_RESOURCE").value_or(0);
  if (is_host && (sys::permitted_capabilities() >> resource & 1) != 0) return std::nullopt;
  const std::string own = TRY(sys::read_file(sys::kCwd, "/proc/self/oom_score_adj"));
  return to_number<int>(trim(own)).value_or(0);
}

}  // namespace

Result<Machine> this_machine() {
  Machine machine;
  machine.memory = TRY(memory());
  const Result<cgroup::Host> host = cgroup::probe_host();
  machine.limits_swap = host && limits_swap(*host);
  machine.least_oom_score = TRY(least_oom_score());
  return machine;
}

}  // namespace ocirt::podfile
