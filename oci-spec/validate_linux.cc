// Rules between the properties of `linux` (config-linux.md), and between them and the rest of
// config.json.
#include <algorithm>

#include "oci-spec/json/text.h"
#include "oci-spec/validate.h"

namespace oci::rules {
namespace {

// "If a namespaces field contains duplicated namespaces with same type, the runtime MUST generate
// an error." "path ... MUST be an absolute path in the runtime mount namespace."
Finding check_namespaces(const std::vector<Namespace>& namespaces, const Path& path) {
  unsigned seen = 0;
  for (std::size_t i = 0; i < namespaces.size(); ++i) {
    const Namespace& entry = namespaces[i];
    const unsigned bit = 1u << static_cast<unsigned>(entry.type);
    if (seen & bit) {
      return finding(path[i] / "type",
                     "the type \"" + std::string(to_string(entry.type)) + "\" is listed twice");
    }
    seen |= bit;
    if (entry.path && !entry.path->empty() && !is_absolute(*entry.path)) {
      return finding(path[i] / "path", "must be an absolute path");
    }
  }
  return {};
}

// The mappings and the clock offsets belong to namespaces of the container.
Finding check_namespace_settings(const Spec& spec, const Path& path) {
  const Linux& linux = *spec.linux;
  if (!find_namespace(spec, NamespaceType::kUser)) {
    constexpr std::string_view kText = "needs an entry of type \"user\" in linux.namespaces";
    if (!linux.uid_mappings.empty()) return finding(path / "uidMappings", kText);
    if (!linux.gid_mappings.empty()) return finding(path / "gidMappings", kText);
  }
  OCI_CHECK(check_id_mappings(linux.uid_mappings, path / "uidMappings"));
  OCI_CHECK(check_id_mappings(linux.gid_mappings, path / "gidMappings"));

  if (!linux.time_offsets) return {};
  // time_namespaces(7): offsets can be set until the first process enters, so not in a joined one.
  const Namespace* time = find_namespace(spec, NamespaceType::kTime);
  const bool is_new = time != nullptr && (!time->path || time->path->empty());
  const std::pair<std::string_view, const std::optional<TimeOffset>*> clocks[] = {
      {"boottime", &linux.time_offsets->boottime}, {"monotonic", &linux.time_offsets->monotonic}};
  for (const auto& [name, offset] : clocks) {
    if (!*offset) continue;
    if (!is_new) {
      return finding(path / "timeOffsets" / name,
                     "needs an entry of type \"time\" without a path in linux.namespaces");
    }
    if ((*offset)->nanosecs.value_or(0) >= 1'000'000'000u) {
      return finding(path / "timeOffsets" / name / "nanosecs", "must be below 1000000000");
    }
  }
  return {};
}

// "path ... full path to device inside container", "major, minor (int64, REQUIRED unless type is
// p)".
Finding check_devices(const std::vector<Device>& devices, const Path& path) {
  for (std::size_t i = 0; i < devices.size(); ++i) {
    const Device& device = devices[i];
    if (!is_absolute(device.path)) return finding(path[i] / "path", "must be an absolute path");
    if (device.type == DeviceType::kFifo) continue;
    const std::pair<std::string_view, std::optional<std::int64_t>> numbers[] = {
        {"major", device.major}, {"minor", device.minor}};
    for (const auto& [name, number] : numbers) {
      if (!number) {
        return finding(path[i] / name,
                       "required for a device of type " + json::quoted(to_string(device.type)));
      }
      if (*number < 0) return finding(path[i] / name, "must not be negative");
    }
  }
  return {};
}

// What the kernel takes for an interface's name (dev_valid_name in net/core/dev.c).
constexpr bool is_interface_name(std::string_view name) {
  constexpr std::size_t kMaxLength = 15;
  if (name.empty() || name.size() > kMaxLength || name == "." || name == "..") return false;
  return name.find_first_of("/: \t\n\v\f\r") == std::string_view::npos;
}

// A new name may leave a number to the kernel: one "%d", and no other '%' (__dev_alloc_name()).
constexpr bool is_name_template(std::string_view name) {
  const std::size_t percent = name.find('%');
  return percent != std::string_view::npos && percent == name.rfind('%') &&
         name.substr(percent).starts_with("%d");
}
constexpr bool is_new_interface_name(std::string_view name) {
  return is_interface_name(name) && (!name.contains('%') || is_name_template(name));
}

// config-linux.md, "Network Devices": interfaces move into the container's network namespace;
// without one they would stay, renamed, on the host.
Finding check_net_devices(const Spec& spec, const Path& path) {
  const Map<NetDevice>& devices = spec.linux->net_devices;
  std::vector<std::string_view> names;
  for (const auto& [host_name, device] : devices) {
    const auto here = [&, key = std::string_view(host_name)] { return path.key(key); };
    if (!is_interface_name(host_name)) {
      return finding(here(), "is not a valid name of a network interface");
    }
    const bool renamed = device.name && !device.name->empty();
    if (renamed && !is_new_interface_name(*device.name)) {
      return finding(here() / "name", "is not a valid name of a network interface");
    }
    const std::string_view name = renamed ? std::string_view(*device.name) : host_name;
    if (!renamed || !is_name_template(name)) names.push_back(name);
  }
  if (devices.empty()) return {};
  if (!find_namespace(spec, NamespaceType::kNetwork)) {
    return finding(path, "needs an entry of type \"network\" in linux.namespaces");
  }
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) {
    return finding(path,
                   "two interfaces would be called " + json::quoted(*twice) + " in the container");
  }
  return {};
}

// A key names a file below /proc/sys, by dots or by slashes; it must not lead out of there.
Finding check_sysctl(const Map<std::string>& sysctl, const Path& path) {
  for (const auto& [name, value] : sysctl) {
    const auto here = [&, key = std::string_view(name)] { return path.key(key); };
    if (name.empty()) return finding(here(), "the name of a kernel parameter must not be empty");
    const bool edges = name.find_first_of("./") == 0 || name.find_last_of("./") == name.size() - 1;
    bool neighbours = false;
    for (std::size_t i = 1; i < name.size(); ++i) {
      const auto separates = [](char c) { return c == '.' || c == '/'; };
      neighbours = neighbours || (separates(name[i]) && separates(name[i - 1]));
    }
    if (edges || neighbours) {
      return finding(here(), "is not the name of a kernel parameter: a part of it is empty");
    }
  }
  return {};
}

// "The values MUST be absolute paths in the container namespace."
Finding check_paths(const std::vector<std::string>& paths, const Path& path) {
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (!is_absolute(paths[i])) return finding(path[i], "must be an absolute path");
  }
  return {};
}

// config-linux.md, "IntelRdt": closID is the name of a directory of the resctrl filesystem, or "/"
// for its root; a schema is one line.
Finding check_intel_rdt(const IntelRdt& rdt, const Path& path) {
  const std::string id = rdt.clos_id.value_or("");
  if (id == "." || id == ".." || (id.contains('/') && id != "/")) {
    return finding(path / "closID", "must be the name of a directory, without a slash, or \"/\"");
  }
  const std::string bandwidth = rdt.mem_bw_schema.value_or("");
  if (!bandwidth.empty() && (!bandwidth.starts_with("MB:") || bandwidth.contains('\n'))) {
    return finding(path / "memBwSchema",
                   "must be one line that begins with MB:, found " + json::quoted(bandwidth));
  }
  for (size_t i = 0; i < rdt.schemata.size(); ++i) {
    if (rdt.schemata[i].contains('\n')) {
      return finding((path / "schemata")[i],
                     "must be one line, found " + json::quoted(rdt.schemata[i]));
    }
  }
  return {};
}

// config-linux.md, "Memory policy"; set_mempolicy(2).
Finding check_memory_policy(const MemoryPolicy& policy, const Path& path) {
  using enum MemoryPolicyMode;
  if (!policy.mode) return finding(path / "mode", "required, but missing");
  const bool has_nodes = policy.nodes && !policy.nodes->empty();
  if (has_nodes && policy.nodes->find_first_not_of("0123456789,- ") != std::string::npos) {
    return finding(path / "nodes", "must be a list of memory nodes such as 0-3,7, found " +
                                       json::quoted(*policy.nodes));
  }
  const std::string mode(to_string(*policy.mode));
  if ((*policy.mode == kDefault || *policy.mode == kLocal) && has_nodes) {
    return finding(path / "nodes", "must be empty for the mode " + mode);
  }
  if ((*policy.mode == kBind || *policy.mode == kInterleave || *policy.mode == kPreferredMany ||
       *policy.mode == kWeightedInterleave) &&
      !has_nodes) {
    return finding(path / "nodes", "required for the mode " + mode);
  }
  const auto has = [&](MemoryPolicyFlag flag) {
    return std::find(policy.flags.begin(), policy.flags.end(), flag) != policy.flags.end();
  };
  if (has(MemoryPolicyFlag::kStaticNodes) && has(MemoryPolicyFlag::kRelativeNodes)) {
    return finding(path / "flags",
                   "MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other");
  }
  return {};
}

}  // namespace

Finding check_linux(const Spec& spec) {
  const Linux& linux = *spec.linux;
  const Path path("linux");
  OCI_CHECK(check_namespaces(linux.namespaces, path / "namespaces"));
  OCI_CHECK(check_namespace_settings(spec, path));
  OCI_CHECK(check_devices(linux.devices, path / "devices"));
  OCI_CHECK(check_net_devices(spec, path / "netDevices"));
  if (linux.resources) OCI_CHECK(check_resources(*linux.resources, path / "resources"));
  if (linux.seccomp) OCI_CHECK(check_seccomp(*linux.seccomp, path / "seccomp"));
  OCI_CHECK(check_sysctl(linux.sysctl, path / "sysctl"));
  OCI_CHECK(check_paths(linux.masked_paths, path / "maskedPaths"));
  OCI_CHECK(check_paths(linux.readonly_paths, path / "readonlyPaths"));
  if (linux.intel_rdt) OCI_CHECK(check_intel_rdt(*linux.intel_rdt, path / "intelRdt"));
  if (linux.memory_policy) {
    OCI_CHECK(check_memory_policy(*linux.memory_policy, path / "memoryPolicy"));
  }
  // "domain (string, REQUIRED)".
  if (linux.personality && !linux.personality->domain) {
    return finding(path / "personality" / "domain", "required, but missing");
  }
  return {};
}

}  // namespace oci::rules
