// Rules between the properties of `linux.resources` (config-linux.md, "Control groups"); also for
// the document of `update --resources`. What a cgroup file accepts on this host is found out by
// writing it.
#include "oci-spec/json/text.h"
#include "oci-spec/validate.h"

namespace oci::rules {
namespace {

// "type of device: a (all), c (char), or b (block)", "access ... A composition of r, w and m". Some
// write an "a" (all) among the latter too, which runc passes over; in a rule that denies it can
// mean no more than it says.
Finding check_device_rules(const std::vector<DeviceCgroup>& devices, const Path& path) {
  for (std::size_t i = 0; i < devices.size(); ++i) {
    const DeviceCgroup& rule = devices[i];
    const std::string_view type = rule.type ? std::string_view(*rule.type) : "a";
    if (type != "a" && type != "b" && type != "c" && !type.empty()) {
      return finding(path[i] / "type", "must be one of a, b, c, found " + json::quoted(type));
    }
    // The specification leaves it optional and does not say what its absence means. Denied is then
    // all that there is; what is allowed has to be written.
    if (rule.allow && !rule.access) {
      return finding(path[i] / "access", "a rule that allows must say what: r, w or m");
    }
    const char* letters = rule.allow ? "rwm" : "rwma";
    if (rule.access && rule.access->find_first_not_of(letters) != std::string::npos) {
      return finding(path[i] / "access",
                     "must be composed of r, w and m, found " + json::quoted(*rule.access));
    }
    // -1 is what Go callers write for "any".
    if (rule.major && *rule.major < -1) return finding(path[i] / "major", "must be at least -1");
    if (rule.minor && *rule.minor < -1) return finding(path[i] / "minor", "must be at least -1");
  }
  return {};
}

// "Values for memory specify the limit in bytes, or -1 for unlimited memory."
Finding check_memory(const Memory& memory, const Path& path) {
  const std::pair<std::string_view, std::optional<std::int64_t>> limits[] = {
      {"limit", memory.limit},
      {"reservation", memory.reservation},
      {"swap", memory.swap},
      {"kernel", memory.kernel},
      {"kernelTCP", memory.kernel_tcp}};
  for (const auto& [name, value] : limits) {
    if (value && *value < -1) {
      return finding(path / name, "must be a number of bytes, or -1 for unlimited");
    }
  }
  // "The values are from 0 to 100."
  if (memory.swappiness && *memory.swappiness > 100) {
    return finding(path / "swappiness", "must be from 0 to 100");
  }
  return {};
}

Finding check_cpu(const Cpu& cpu, const Path& path) {
  // "burst ... MUST be no larger than any positive quota (runtimes MAY generate an error)".
  if (cpu.burst && cpu.quota && *cpu.quota > 0 &&
      *cpu.burst > static_cast<std::uint64_t>(*cpu.quota)) {
    return finding(path / "burst", "must not be larger than quota");
  }
  // "0: default behavior, 1: SCHED_IDLE".
  if (cpu.idle && *cpu.idle != 0 && *cpu.idle != 1) {
    return finding(path / "idle", "must be 0 or 1");
  }
  return {};
}

}  // namespace

Finding check_resources(const Resources& resources, const Path& path) {
  OCI_CHECK(check_device_rules(resources.devices, path / "devices"));
  if (resources.memory) OCI_CHECK(check_memory(*resources.memory, path / "memory"));
  if (resources.cpu) OCI_CHECK(check_cpu(*resources.cpu, path / "cpu"));
  // "You MUST specify at least one of weight or leafWeight in a given entry".
  if (resources.block_io) {
    const std::vector<WeightDevice>& devices = resources.block_io->weight_device;
    for (std::size_t i = 0; i < devices.size(); ++i) {
      if (devices[i].weight || devices[i].leaf_weight) continue;
      return finding((path / "blockIO" / "weightDevice")[i], "needs weight or leafWeight");
    }
  }
  // "You MUST specify at least one of the hcaHandles or hcaObjects in a given entry".
  for (const auto& [name, limits] : resources.rdma) {
    if (limits.hca_handles || limits.hca_objects) continue;
    return finding((path / "rdma").key(name), "needs hcaHandles or hcaObjects");
  }
  // "Each key in the map refers to a file in the cgroup unified hierarchy": CONTROLLER.PARAMETER in
  // the container's own directory, which a slash would leave.
  for (const auto& [name, value] : resources.unified) {
    if (name.contains('/')) {
      return finding((path / "unified").key(name), "must be the name of a file, without a slash");
    }
    const std::size_t dot = name.find('.');
    if (dot == 0 || dot == std::string::npos || dot + 1 == name.size()) {
      return finding((path / "unified").key(name),
                     "the specified key has not the form CONTROLLER.VALUE `" + name +
                         "`, such as memory.high");
    }
  }
  return {};
}

}  // namespace oci::rules
