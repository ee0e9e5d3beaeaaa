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
    field<&CgroupFeatures::v1>("v1"),           field<&CgroupFeatures::v2>("v2"),
    field<&CgroupFeatures::systemd>("systemd"), field<&CgroupFeatures::systemd_user>("systemdUser"),
    field<&CgroupFeatures::rdma>("rdma"),
};

constexpr Field kSeccompFeatures[] = {
    field<&SeccompFeatures::enabled>("enabled"),
    field<&SeccompFeatures::actions>("actions"),
    field<&SeccompFeatures::operators>("operators"),
    field<&SeccompFeatures::archs>("archs"),
    field<&SeccompFeatures::known_flags>("knownFlags"),
    field<&SeccompFeatures::supported_flags>("supportedFlags"),
};

constexpr Field kFeature[] = {field<&Feature::enabled>("enabled")};

constexpr Field kMountExtensions[] = {field<&MountExtensions::idmap>("idmap")};

constexpr Field kLinuxFeatures[] = {
    field<&LinuxFeatures::namespaces>("namespaces"),
    field<&LinuxFeatures::capabilities>("capabilities", {.pattern = &kCapabilityName}),
    field<&LinuxFeatures::cgroup>("cgroup"),
    field<&LinuxFeatures::seccomp>("seccomp"),
    field<&LinuxFeatures::apparmor>("apparmor"),
    field<&LinuxFeatures::selinux>("selinux"),
    field<&LinuxFeatures::intel_rdt>("intelRdt"),
    field<&LinuxFeatures::mount_extensions>("mountExtensions"),
    field<&LinuxFeatures::net_devices>("netDevices"),
};

constexpr Field kFeatures[] = {
    field<&Features::oci_version_min>("ociVersionMin", kRequired),
    field<&Features::oci_version_max>("ociVersionMax", kRequired),
    field<&Features::hooks>("hooks"),
    field<&Features::mount_options>("mountOptions"),
    field<&Features::linux>("linux"),
    field<&Features::annotations>("annotations"),
    field<&Features::potentially_unsafe_config_annotations>("potentiallyUnsafeConfigAnnotations"),
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
