// Fuzzer of what is read of the kernel's texts: mountinfo, /proc/PID/cgroup, files of cgroups and
// lists of numbers. A container can choose names in some of them (its mounts, its sub-groups).
// Build with clang -fsanitize=fuzzer,address,undefined.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "src/linux/cgroup/host.h"
#include "src/linux/cgroup/stats.h"
#include "src/linux/cpu_list.h"
#include "src/linux/resctrl.h"

namespace {

using namespace ocirt;

void must(bool condition) {
  if (!condition) std::abort();
}

bool is_in(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::vector<cgroup::CgroupMount> mounts = cgroup::parse_cgroup_mounts(text);
  for (const cgroup::CgroupMount& mount : mounts) must(mount.point.size() <= size);
  if (const auto memberships = cgroup::parse_memberships(text)) {
    for (const cgroup::Membership& membership : *memberships) {
      must(is_in(membership.controllers, text) && is_in(membership.path, text));
      (void)cgroup::find_hierarchy(membership, mounts);
    }
  } else {
    must(!memberships.error().text.empty());
  }
  if (const auto root = resctrl::root_in_mountinfo(text)) must(root->size() <= size);
  (void)cgroup::parse_pressure(text);
  (void)cgroup::parse_block_io(text);
  cgroup::BlockIoStats stats;
  cgroup::parse_io_stat(text, stats);
  if (const auto list = parse_number_list(text)) {
    const auto again = parse_number_list(number_list(*list));
    must(again.has_value() && *again == *list);
  } else {
    must(!list.error().text.empty());
  }
  return 0;
}
