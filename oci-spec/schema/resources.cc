// Rows of `linux.resources` (config-linux.json, defs-linux.json).
#include "oci-spec/schema/schema.h"

namespace oci::schema {
namespace {

constexpr bool is_page_size(std::string_view text) {
  if (text.size() < 3 || text.back() != 'B') return false;
  const char unit = text[text.size() - 2];
  if (unit != 'K' && unit != 'M' && unit != 'G') return false;
  text.remove_suffix(2);
  return text.front() != '0' &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

constexpr Pattern kPageSize{"^[1-9][0-9]*[KMG]B$", "a page size such as 64KB, 2MB or 1GB",
                            is_page_size};

constexpr Field kDeviceCgroup[] = {
    OCI_FIELD(DeviceCgroup, allow, "allow", kRequired),
    OCI_FIELD(DeviceCgroup, type, "type"),
    OCI_FIELD(DeviceCgroup, major, "major"),
    OCI_FIELD(DeviceCgroup, minor, "minor"),
    OCI_FIELD(DeviceCgroup, access, "access"),
};

constexpr Field kMemory[] = {
    OCI_FIELD(Memory, limit, "limit"),
    OCI_FIELD(Memory, reservation, "reservation"),
    OCI_FIELD(Memory, swap, "swap"),
    OCI_FIELD(Memory, kernel, "kernel"),
    OCI_FIELD(Memory, kernel_tcp, "kernelTCP"),
    OCI_FIELD(Memory, swappiness, "swappiness"),
    OCI_FIELD(Memory, disable_oom_killer, "disableOOMKiller"),
    OCI_FIELD(Memory, use_hierarchy, "useHierarchy"),
    OCI_FIELD(Memory, check_before_update, "checkBeforeUpdate"),
};

constexpr Field kCpu[] = {
    OCI_FIELD(Cpu, shares, "shares"),
    OCI_FIELD(Cpu, quota, "quota"),
    OCI_FIELD(Cpu, burst, "burst"),
    OCI_FIELD(Cpu, period, "period"),
    OCI_FIELD(Cpu, realtime_runtime, "realtimeRuntime"),
    OCI_FIELD(Cpu, realtime_period, "realtimePeriod"),
    OCI_FIELD(Cpu, cpus, "cpus"),
    OCI_FIELD(Cpu, mems, "mems"),
    OCI_FIELD(Cpu, idle, "idle"),
};

constexpr Field kPids[] = {OCI_FIELD(Pids, limit, "limit", kRequired)};

constexpr Field kWeightDevice[] = {
    OCI_FIELD(WeightDevice, major, "major", kRequired),
    OCI_FIELD(WeightDevice, minor, "minor", kRequired),
    OCI_FIELD(WeightDevice, weight, "weight"),
    OCI_FIELD(WeightDevice, leaf_weight, "leafWeight"),
};

constexpr Field kThrottleDevice[] = {
    OCI_FIELD(ThrottleDevice, major, "major", kRequired),
    OCI_FIELD(ThrottleDevice, minor, "minor", kRequired),
    OCI_FIELD(ThrottleDevice, rate, "rate"),
};

constexpr Field kBlockIo[] = {
    OCI_FIELD(BlockIo, weight, "weight"),
    OCI_FIELD(BlockIo, leaf_weight, "leafWeight"),
    OCI_FIELD(BlockIo, weight_device, "weightDevice"),
    OCI_FIELD(BlockIo, throttle_read_bps_device, "throttleReadBpsDevice"),
    OCI_FIELD(BlockIo, throttle_write_bps_device, "throttleWriteBpsDevice"),
    OCI_FIELD(BlockIo, throttle_read_iops_device, "throttleReadIOPSDevice"),
    OCI_FIELD(BlockIo, throttle_write_iops_device, "throttleWriteIOPSDevice"),
};

constexpr Field kHugepageLimit[] = {
    OCI_FIELD(HugepageLimit, page_size, "pageSize", {.required = true, .pattern = &kPageSize}),
    OCI_FIELD(HugepageLimit, limit, "limit", kRequired),
};

constexpr Field kInterfacePriority[] = {
    OCI_FIELD(InterfacePriority, name, "name", kRequired),
    OCI_FIELD(InterfacePriority, priority, "priority", kRequired),
};

constexpr Field kNetwork[] = {
    OCI_FIELD(Network, class_id, "classID"),
    OCI_FIELD(Network, priorities, "priorities"),
};

constexpr Field kRdma[] = {
    OCI_FIELD(Rdma, hca_handles, "hcaHandles"),
    OCI_FIELD(Rdma, hca_objects, "hcaObjects"),
};

constexpr Field kResources[] = {
    OCI_FIELD(Resources, devices, "devices"),
    OCI_FIELD(Resources, memory, "memory"),
    OCI_FIELD(Resources, cpu, "cpu"),
    OCI_FIELD(Resources, pids, "pids"),
    OCI_FIELD(Resources, block_io, "blockIO"),
    OCI_FIELD(Resources, hugepage_limits, "hugepageLimits"),
    OCI_FIELD(Resources, network, "network"),
    OCI_FIELD(Resources, rdma, "rdma"),
    OCI_FIELD(Resources, unified, "unified"),
};

}  // namespace

template <>
constinit const Type Object<DeviceCgroup>::type = object(kDeviceCgroup);
template <>
constinit const Type Object<Memory>::type = object(kMemory);
template <>
constinit const Type Object<Cpu>::type = object(kCpu);
template <>
constinit const Type Object<Pids>::type = object(kPids);
template <>
constinit const Type Object<WeightDevice>::type = object(kWeightDevice);
template <>
constinit const Type Object<ThrottleDevice>::type = object(kThrottleDevice);
template <>
constinit const Type Object<BlockIo>::type = object(kBlockIo);
template <>
constinit const Type Object<HugepageLimit>::type = object(kHugepageLimit);
template <>
constinit const Type Object<InterfacePriority>::type = object(kInterfacePriority);
template <>
constinit const Type Object<Network>::type = object(kNetwork);
template <>
constinit const Type Object<Rdma>::type = object(kRdma);
template <>
constinit const Type Object<Resources>::type = object(kResources);

}  // namespace oci::schema
