// `linux` of config.json: namespaces, devices, kernel settings (config-linux.md).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "oci-spec/enumeration.h"
#include "oci-spec/map.h"
#include "oci-spec/mounts.h"
#include "oci-spec/resources.h"
#include "oci-spec/seccomp.h"

namespace oci {

enum class NamespaceType : std::uint8_t {
  kCgroup,
  kIpc,
  kMount,
  kNetwork,
  kPid,
  kTime,
  kUser,
  kUts,
};
inline constexpr std::string_view kNamespaceTypeNames[] = {"cgroup", "ipc",  "mount", "network",
                                                           "pid",    "time", "user",  "uts"};
constexpr std::span<const std::string_view> names_of(NamespaceType) { return kNamespaceTypeNames; }
static_assert(names_agree(NamespaceType::kUts));

// A namespace of the container. A type that is not listed is the runtime's own.
struct Namespace {
  NamespaceType type = NamespaceType::kMount;  // required; each at most once
  std::optional<std::string> path = {};        // file to join, absolute; absent: a new namespace

  bool operator==(const Namespace&) const = default;
};

enum class DeviceType : std::uint8_t { kBlock, kCharacter, kFifo, kUnbuffered };
inline constexpr std::string_view kDeviceTypeNames[] = {"b", "c", "p", "u"};
constexpr std::span<const std::string_view> names_of(DeviceType) { return kDeviceTypeNames; }
static_assert(names_agree(DeviceType::kUnbuffered));

// A device node that has to be there.
struct Device {
  DeviceType type = DeviceType::kCharacter;  // required; kUnbuffered is a character device
  std::string path = {};                     // required; inside the container, also outside /dev
  std::optional<std::int64_t> major = {};    // both required unless a fifo
  std::optional<std::int64_t> minor = {};
  std::optional<std::uint32_t> file_mode = {};  // permission bits. Callers also write a whole
                                                // st_mode: use the value & 07777. Absent: 0666
  std::optional<std::uint32_t> uid = {};        // owner in the container; absent: 0
  std::optional<std::uint32_t> gid = {};

  bool operator==(const Device&) const = default;
};

// A network interface that moves from the runtime's network namespace into the container's.
struct NetDevice {
  std::optional<std::string> name = {};  // its new name; absent: it keeps its own

  bool operator==(const NetDevice&) const = default;
};

// Propagation of the container's root mount. The schema lists the plain four; docker, podman and
// containerd write the recursive ones ("rslave"), which runtimes have always taken.
enum class RootfsPropagation : std::uint8_t {
  kPrivate,
  kRprivate,
  kRshared,
  kRslave,
  kRunbindable,
  kShared,
  kSlave,
  kUnbindable,
};
inline constexpr std::string_view kRootfsPropagationNames[] = {
    "private", "rprivate", "rshared", "rslave", "runbindable", "shared", "slave", "unbindable"};
constexpr std::span<const std::string_view> names_of(RootfsPropagation) {
  return kRootfsPropagationNames;
}
static_assert(names_agree(RootfsPropagation::kUnbindable));

// Intel RDT through the resctrl filesystem (config-linux.md, "IntelRdt").
struct IntelRdt {
  std::optional<std::string> clos_id =
      {};  // name of the class of service; absent: the container's ID
  std::vector<std::string> schemata = {};           // lines for the schemata file (1.3.0)
  std::optional<std::string> l3_cache_schema = {};  // "L3:0=7f0;1=1f"
  std::optional<std::string> mem_bw_schema = {};    // "MB:0=20;1=70"
  std::optional<bool> enable_monitoring = {};       // a monitoring group of its own (1.3.0)

  bool operator==(const IntelRdt&) const = default;
};

// set_mempolicy(2) mode.
enum class MemoryPolicyMode : std::uint8_t {
  kBind,
  kDefault,
  kInterleave,
  kLocal,
  kPreferred,
  kPreferredMany,
  kWeightedInterleave,
};
inline constexpr std::string_view kMemoryPolicyModeNames[] = {
    "MPOL_BIND",      "MPOL_DEFAULT",        "MPOL_INTERLEAVE",         "MPOL_LOCAL",
    "MPOL_PREFERRED", "MPOL_PREFERRED_MANY", "MPOL_WEIGHTED_INTERLEAVE"};
constexpr std::span<const std::string_view> names_of(MemoryPolicyMode) {
  return kMemoryPolicyModeNames;
}
static_assert(names_agree(MemoryPolicyMode::kWeightedInterleave));

// set_mempolicy(2) mode flags.
enum class MemoryPolicyFlag : std::uint8_t { kNumaBalancing, kRelativeNodes, kStaticNodes };
inline constexpr std::string_view kMemoryPolicyFlagNames[] = {
    "MPOL_F_NUMA_BALANCING", "MPOL_F_RELATIVE_NODES", "MPOL_F_STATIC_NODES"};
constexpr std::span<const std::string_view> names_of(MemoryPolicyFlag) {
  return kMemoryPolicyFlagNames;
}
static_assert(names_agree(MemoryPolicyFlag::kStaticNodes));

struct MemoryPolicy {
  std::optional<MemoryPolicyMode> mode =
      {};  // the text requires it, the schema does not; see validate()
  std::optional<std::string> nodes = {};  // list such as "0-1,3"
  std::vector<MemoryPolicyFlag> flags = {};

  bool operator==(const MemoryPolicy&) const = default;
};

// personality(2) domain.
enum class PersonalityDomain : std::uint8_t { kLinux, kLinux32 };
inline constexpr std::string_view kPersonalityDomainNames[] = {"LINUX", "LINUX32"};
constexpr std::span<const std::string_view> names_of(PersonalityDomain) {
  return kPersonalityDomainNames;
}
static_assert(names_agree(PersonalityDomain::kLinux32));

struct Personality {
  std::optional<PersonalityDomain> domain = {};  // the text requires it, the schema does not
  std::vector<std::string> flags = {};           // none is defined by 1.3.0

  bool operator==(const Personality&) const = default;
};

// Offset of one clock of the time namespace.
struct TimeOffset {
  std::optional<std::int64_t> secs = {};       // absent is 0
  std::optional<std::uint32_t> nanosecs = {};  // absent is 0

  bool operator==(const TimeOffset&) const = default;
};

struct TimeOffsets {
  std::optional<TimeOffset> boottime = {};
  std::optional<TimeOffset> monotonic = {};

  bool operator==(const TimeOffsets&) const = default;
};

struct Linux {
  std::vector<Namespace> namespaces = {};
  std::vector<IdMapping> uid_mappings = {};  // of the new user namespace
  std::vector<IdMapping> gid_mappings = {};
  std::optional<TimeOffsets> time_offsets = {};  // of the new time namespace
  std::vector<Device> devices = {};
  Map<NetDevice> net_devices = {};  // by the interface's name in the runtime's network namespace
  std::optional<std::string> cgroups_path = {};
  std::optional<Resources> resources = {};
  std::optional<RootfsPropagation> rootfs_propagation = {};
  std::optional<Seccomp> seccomp = {};
  Map<std::string> sysctl = {};
  std::vector<std::string> masked_paths = {};    // unreadable inside the container; absolute
  std::vector<std::string> readonly_paths = {};  // read-only inside the container; absolute
  std::optional<std::string> mount_label = {};   // SELinux context of the mounts
  std::optional<IntelRdt> intel_rdt = {};
  std::optional<MemoryPolicy> memory_policy = {};
  std::optional<Personality> personality = {};

  bool operator==(const Linux&) const = default;
};

}  // namespace oci
