// Rows of `linux` (config-linux.json, defs-linux.json).
#include "oci-spec/schema/schema.h"

namespace oci::schema {
namespace {

constexpr bool is_memory_bandwidth(std::string_view text) {
  return text.starts_with("MB:") && !text.contains('\n');
}

constexpr Pattern kMemoryBandwidth{"^MB:[^\\n]*$",
                                   "one line that begins with MB:", is_memory_bandwidth};

constexpr Field kNamespace[] = {
    OCI_FIELD(Namespace, type, "type", kRequired),
    OCI_FIELD(Namespace, path, "path"),
};

constexpr Field kDevice[] = {
    OCI_FIELD(Device, path, "path", kRequired),
    OCI_FIELD(Device, type, "type", kRequired),
    OCI_FIELD(Device, major, "major"),
    OCI_FIELD(Device, minor, "minor"),
    // The schema says 0777. Callers hand on a whole st_mode, or Go's os.FileMode, which has the
    // type in its upper bits, and other runtimes take it.
    OCI_FIELD(Device, file_mode, "fileMode"),
    // 4294967295 is no id, but "leave as it is" for chown(2).
    OCI_FIELD(Device, uid, "uid", {.maximum = 4294967294}),
    OCI_FIELD(Device, gid, "gid", {.maximum = 4294967294}),
};

constexpr Field kNetDevice[] = {OCI_FIELD(NetDevice, name, "name")};

constexpr Field kIntelRdt[] = {
    OCI_FIELD(IntelRdt, clos_id, "closID"),
    OCI_FIELD(IntelRdt, schemata, "schemata"),
    OCI_FIELD(IntelRdt, l3_cache_schema, "l3CacheSchema"),
    OCI_FIELD(IntelRdt, mem_bw_schema, "memBwSchema", {.pattern = &kMemoryBandwidth}),
    OCI_FIELD(IntelRdt, enable_monitoring, "enableMonitoring"),
};

constexpr Field kMemoryPolicy[] = {
    OCI_FIELD(MemoryPolicy, mode, "mode"),
    OCI_FIELD(MemoryPolicy, nodes, "nodes"),
    OCI_FIELD(MemoryPolicy, flags, "flags"),
};

constexpr Field kPersonality[] = {
    OCI_FIELD(Personality, domain, "domain"),
    OCI_FIELD(Personality, flags, "flags"),
};

constexpr Field kTimeOffset[] = {
    OCI_FIELD(TimeOffset, secs, "secs"),
    OCI_FIELD(TimeOffset, nanosecs, "nanosecs"),
};

constexpr Field kTimeOffsets[] = {
    OCI_FIELD(TimeOffsets, boottime, "boottime"),
    OCI_FIELD(TimeOffsets, monotonic, "monotonic"),
};

constexpr Field kLinux[] = {
    OCI_FIELD(Linux, uid_mappings, "uidMappings"),
    OCI_FIELD(Linux, gid_mappings, "gidMappings"),
    OCI_FIELD(Linux, sysctl, "sysctl"),
    OCI_FIELD(Linux, resources, "resources"),
    OCI_FIELD(Linux, cgroups_path, "cgroupsPath"),
    OCI_FIELD(Linux, namespaces, "namespaces"),
    OCI_FIELD(Linux, devices, "devices"),
    OCI_FIELD(Linux, net_devices, "netDevices"),
    OCI_FIELD(Linux, seccomp, "seccomp"),
    OCI_FIELD(Linux, rootfs_propagation, "rootfsPropagation"),
    OCI_FIELD(Linux, masked_paths, "maskedPaths"),
    OCI_FIELD(Linux, readonly_paths, "readonlyPaths"),
    OCI_FIELD(Linux, mount_label, "mountLabel"),
    OCI_FIELD(Linux, intel_rdt, "intelRdt"),
    OCI_FIELD(Linux, memory_policy, "memoryPolicy"),
    OCI_FIELD(Linux, personality, "personality"),
    OCI_FIELD(Linux, time_offsets, "timeOffsets"),
};

}  // namespace

template <>
constinit const Type Object<Namespace>::type = object(kNamespace);
template <>
constinit const Type Object<Device>::type = object(kDevice);
template <>
constinit const Type Object<NetDevice>::type = object(kNetDevice);
template <>
constinit const Type Object<IntelRdt>::type = object(kIntelRdt);
template <>
constinit const Type Object<MemoryPolicy>::type = object(kMemoryPolicy);
template <>
constinit const Type Object<Personality>::type = object(kPersonality);
template <>
constinit const Type Object<TimeOffset>::type = object(kTimeOffset);
template <>
constinit const Type Object<TimeOffsets>::type = object(kTimeOffsets);
template <>
constinit const Type Object<Linux>::type = object(kLinux);

}  // namespace oci::schema
