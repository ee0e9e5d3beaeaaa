// Rows of the features document (features-schema.json, features-linux.json).
#include "oci-spec/schema/schema.h"

namespace oci::schema {
namespace {

constexpr bool is_capability_name(std::string_view text) {
  constexpr std::string_view kPrefix = "CAP_";
  if (!text.starts_with(kPrefix) || text.size() == kPrefix.size()) return false;
  text.remove_prefix(kPrefix.size());
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= 'A' && c <= 'Z') || c == '_'; });
}

constexpr Pattern kCapabilityName{"^CAP_[A-Z_]+$", "a capability such as CAP_KILL",
                                  is_capability_name};

constexpr Field kCgroupFeatures[] = {
    OCI_FIELD(CgroupFeatures, v1, "v1"),
    OCI_FIELD(CgroupFeatures, v2, "v2"),
    OCI_FIELD(CgroupFeatures, systemd, "systemd"),
    OCI_FIELD(CgroupFeatures, systemd_user, "systemdUser"),
    OCI_FIELD(CgroupFeatures, rdma, "rdma"),
};

constexpr Field kSeccompFeatures[] = {
    OCI_FIELD(SeccompFeatures, enabled, "enabled"),
    OCI_FIELD(SeccompFeatures, actions, "actions"),
    OCI_FIELD(SeccompFeatures, operators, "operators"),
    OCI_FIELD(SeccompFeatures, archs, "archs"),
    OCI_FIELD(SeccompFeatures, known_flags, "knownFlags"),
    OCI_FIELD(SeccompFeatures, supported_flags, "supportedFlags"),
};

constexpr Field kFeature[] = {OCI_FIELD(Feature, enabled, "enabled")};

constexpr Field kMountExtensions[] = {OCI_FIELD(MountExtensions, idmap, "idmap")};

constexpr Field kLinuxFeatures[] = {
    OCI_FIELD(LinuxFeatures, namespaces, "namespaces"),
    OCI_FIELD(LinuxFeatures, capabilities, "capabilities", {.pattern = &kCapabilityName}),
    OCI_FIELD(LinuxFeatures, cgroup, "cgroup"),
    OCI_FIELD(LinuxFeatures, seccomp, "seccomp"),
    OCI_FIELD(LinuxFeatures, apparmor, "apparmor"),
    OCI_FIELD(LinuxFeatures, selinux, "selinux"),
    OCI_FIELD(LinuxFeatures, intel_rdt, "intelRdt"),
    OCI_FIELD(LinuxFeatures, mount_extensions, "mountExtensions"),
    OCI_FIELD(LinuxFeatures, net_devices, "netDevices"),
};

constexpr Field kFeatures[] = {
    OCI_FIELD(Features, oci_version_min, "ociVersionMin", kRequired),
    OCI_FIELD(Features, oci_version_max, "ociVersionMax", kRequired),
    OCI_FIELD(Features, hooks, "hooks"),
    OCI_FIELD(Features, mount_options, "mountOptions"),
    OCI_FIELD(Features, linux, "linux"),
    OCI_FIELD(Features, annotations, "annotations"),
    OCI_FIELD(Features, potentially_unsafe_config_annotations,
              "potentiallyUnsafeConfigAnnotations"),
};

}  // namespace

template <>
constinit const Type Object<CgroupFeatures>::type = object(kCgroupFeatures);
template <>
constinit const Type Object<SeccompFeatures>::type = object(kSeccompFeatures);
template <>
constinit const Type Object<Feature>::type = object(kFeature);
template <>
constinit const Type Object<MountExtensions>::type = object(kMountExtensions);
template <>
constinit const Type Object<LinuxFeatures>::type = object(kLinuxFeatures);
template <>
constinit const Type Object<Features>::type = object(kFeatures);

}  // namespace oci::schema
