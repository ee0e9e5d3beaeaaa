// linux.resources as writes to control files: what has to be written is computed purely and in one
// list, so that it can be read in tests, and carried out afterwards. Private to src/linux/cgroup/.
//
// Where zero means "not set": memory.limit, memory.reservation, memory.swap, cpu.shares, cpu.quota,
// cpu.period, blockIO.weight and the weights of devices. Engines have always written zeros for
// values that nobody chose, and no kernel accepts them as limits. pids.limit 0 is a limit
// (config-linux.md, "PIDs").
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oci-spec/resources.h"
#include "src/base/result.h"

namespace ocirt::cgroup {

// One write to a control file of the container's cgroup.
struct Setting {
  std::string property;    // below linux.resources, for errors: "memory.limit"
  std::string controller;  // "memory"; "cgroup" for files that every v2 cgroup has
  std::string file;        // "memory.max"
  std::string value;
  bool harmless =
      false;  // when the file or the controller is missing, the value holds all the same
  std::string other_file = {};  // written instead when `file` is missing
  std::string other_value = {};

  bool operator==(const Setting&) const = default;
};

// For the hierarchies of v1. memory.kernel and memory.kernelTCP are obsolete in the specification
// and in Linux since 5.4, and not written. Errors: values that no kernel accepts, and `unified`.
Result<std::vector<Setting>> v1_settings(const oci::Resources& resources);

// What v2_settings() has to know of the cgroup as it is; see needs_*().
struct Present {
  std::optional<std::string> memory_max = {};      // content of memory.max
  std::optional<std::string> memory_current = {};  // content of memory.current
  std::optional<std::string> cpu_max = {};         // content of cpu.max
};
// A new limit of memory and swap together without one of memory.
bool needs_memory_max(const oci::Resources& resources);
// memory.checkBeforeUpdate with a limit.
bool needs_memory_current(const oci::Resources& resources);
// A new period without a quota.
bool needs_cpu_max(const oci::Resources& resources);

// For the cgroup2 tree. Not there, and left out without a word because engines write them for every
// container: memory.swappiness, memory.disableOOMKiller, memory.useHierarchy (v2 always is one),
// memory.kernel and memory.kernelTCP. Errors: real-time scheduling, network tags and leaf weights,
// which somebody chose and would miss.
Result<std::vector<Setting>> v2_settings(const oci::Resources& resources, const Present& present);

// Parts that both have in common; appended to `out`.
Result<> add_rdma(const oci::Resources& resources, std::vector<Setting>& out);
// A page size, interface or device that becomes part of a file name or of a line.
Result<> check_word(std::string_view property, std::string_view word);
inline bool is_set(const auto& number) { return number && *number != 0; }

}  // namespace ocirt::cgroup
