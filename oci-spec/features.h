// What the runtime can do: the document that `features` prints (features.md, features-linux.md).
//
// Here absent and empty differ: absent says "unknown", an empty list says "none".
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "oci-spec/linux.h"
#include "oci-spec/map.h"
#include "oci-spec/seccomp.h"

#undef linux  // predefined as 1 in GNU mode; see spec.h

namespace oci {

struct CgroupFeatures {
  std::optional<bool> v1 = {};
  std::optional<bool> v2 = {};
  std::optional<bool> systemd = {};       // system-wide systemd cgroup manager
  std::optional<bool> systemd_user = {};  // per-user systemd cgroup manager
  std::optional<bool> rdma = {};

  bool operator==(const CgroupFeatures&) const = default;
};

struct SeccompFeatures {
  std::optional<bool> enabled = {};
  std::optional<std::vector<SeccompAction>> actions = {};
  std::optional<std::vector<SeccompOperator>> operators = {};
  std::optional<std::vector<SeccompArch>> archs = {};
  std::optional<std::vector<SeccompFlag>> known_flags = {};      // recognised
  std::optional<std::vector<SeccompFlag>> supported_flags = {};  // and supported by this kernel

  bool operator==(const SeccompFeatures&) const = default;
};

// One switch: `apparmor`, `selinux`, `intelRdt`, `netDevices`, `mountExtensions.idmap`.
struct Feature {
  std::optional<bool> enabled = {};

  bool operator==(const Feature&) const = default;
};

struct MountExtensions {
  std::optional<Feature> idmap = {};

  bool operator==(const MountExtensions&) const = default;
};

struct LinuxFeatures {
  std::optional<std::vector<NamespaceType>> namespaces = {};
  std::optional<std::vector<std::string>> capabilities = {};  // "CAP_KILL"
  std::optional<CgroupFeatures> cgroup = {};
  std::optional<SeccompFeatures> seccomp = {};
  std::optional<Feature> apparmor = {};
  std::optional<Feature> selinux = {};
  std::optional<Feature> intel_rdt = {};
  std::optional<MountExtensions> mount_extensions = {};
  std::optional<Feature> net_devices = {};

  bool operator==(const LinuxFeatures&) const = default;
};

struct Features {
  std::string oci_version_min = {};  // required; lowest ociVersion that the runtime takes
  std::string oci_version_max = {};  // required; highest
  std::optional<std::vector<std::string>> hooks = {};          // "prestart"
  std::optional<std::vector<std::string>> mount_options = {};  // that have a meaning to the runtime
  std::optional<LinuxFeatures> linux = {};
  Map<std::string> annotations = {};
  // Annotations of config.json that may change the runtime's behaviour; names, or prefixes
  // ending in a dot.
  std::optional<std::vector<std::string>> potentially_unsafe_config_annotations = {};

  bool operator==(const Features&) const = default;
};

}  // namespace oci
