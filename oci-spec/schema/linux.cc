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
    field<&Namespace::type>("type", kRequired),
    field<&Namespace::path>("path"),
};

constexpr Field kDevice[] = {
    field<&Device::path>("path", kRequired),
    field<&Device::type>("type", kRequired),
    field<&Device::major>("major"),
    field<&Device::minor>("minor"),
    // The schema says 0777. Callers hand on a whole st_mode with the set-ID and type bits in it,
    // and other runtimes take it.
    field<&Device::file_mode>("fileMode", {.maximum = 0177777}),
    // 4294967295 is no id, but "leave as it is" for chown(2).
    field<&Device::uid>("uid", {.maximum = 4294967294}),
    field<&Device::gid>("gid", {.maximum = 4294967294}),
};

constexpr Field kNetDevice[] = {field<&NetDevice::name>("name")};

constexpr Field kIntelRdt[] = {
    field<&IntelRdt::clos_id>("closID"),
    field<&IntelRdt::schemata>("schemata"),
    field<&IntelRdt::l3_cache_schema>("l3CacheSchema"),
    field<&IntelRdt::mem_bw_schema>("memBwSchema", {.pattern = &kMemoryBandwidth}),
    field<&IntelRdt::enable_monitoring>("enableMonitoring"),
};

constexpr Field kMemoryPolicy[] = {
    field<&MemoryPolicy::mode>("mode"),
    field<&MemoryPolicy::nodes>("nodes"),
    field<&MemoryPolicy::flags>("flags"),
};

constexpr Field kPersonality[] = {
    field<&Personality::domain>("domain"),
    field<&Personality::flags>("flags"),
};

constexpr Field kTimeOffset[] = {
    field<&TimeOffset::secs>("secs"),
    field<&TimeOffset::nanosecs>("nanosecs"),
};

constexpr Field kTimeOffsets[] = {
    field<&TimeOffsets::boottime>("boottime"),
    field<&TimeOffsets::monotonic>("monotonic"),
};

constexpr Field kLinux[] = {
    field<&Linux::uid_mappings>("uidMappings"),
    field<&Linux::gid_mappings>("gidMappings"),
    field<&Linux::sysctl>("sysctl"),
    field<&Linux::resources>("resources"),
    field<&Linux::cgroups_path>("cgroupsPath"),
    field<&Linux::namespaces>("namespaces"),
    field<&Linux::devices>("devices"),
    field<&Linux::net_devices>("netDevices"),
    field<&Linux::seccomp>("seccomp"),
    field<&Linux::rootfs_propagation>("rootfsPropagation"),
    field<&Linux::masked_paths>("maskedPaths"),
    field<&Linux::readonly_paths>("readonlyPaths"),
    field<&Linux::mount_label>("mountLabel"),
    field<&Linux::intel_rdt>("intelRdt"),
    field<&Linux::memory_policy>("memoryPolicy"),
    field<&Linux::personality>("personality"),
    field<&Linux::time_offsets>("timeOffsets"),
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
