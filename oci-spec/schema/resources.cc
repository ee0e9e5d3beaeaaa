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
    field<&DeviceCgroup::allow>("allow", kRequired),
    field<&DeviceCgroup::type>("type"),
    field<&DeviceCgroup::major>("major"),
    field<&DeviceCgroup::minor>("minor"),
    field<&DeviceCgroup::access>("access"),
};

constexpr Field kMemory[] = {
    field<&Memory::limit>("limit"),
    field<&Memory::reservation>("reservation"),
    field<&Memory::swap>("swap"),
    field<&Memory::kernel>("kernel"),
    field<&Memory::kernel_tcp>("kernelTCP"),
    field<&Memory::swappiness>("swappiness"),
    field<&Memory::disable_oom_killer>("disableOOMKiller"),
    field<&Memory::use_hierarchy>("useHierarchy"),
    field<&Memory::check_before_update>("checkBeforeUpdate"),
};

constexpr Field kCpu[] = {
    field<&Cpu::shares>("shares"),
    field<&Cpu::quota>("quota"),
    field<&Cpu::burst>("burst"),
    field<&Cpu::period>("period"),
    field<&Cpu::realtime_runtime>("realtimeRuntime"),
    field<&Cpu::realtime_period>("realtimePeriod"),
    field<&Cpu::cpus>("cpus"),
    field<&Cpu::mems>("mems"),
    field<&Cpu::idle>("idle"),
};

constexpr Field kPids[] = {field<&Pids::limit>("limit", kRequired)};

constexpr Field kWeightDevice[] = {
    field<&WeightDevice::major>("major", kRequired),
    field<&WeightDevice::minor>("minor", kRequired),
    field<&WeightDevice::weight>("weight"),
    field<&WeightDevice::leaf_weight>("leafWeight"),
};

constexpr Field kThrottleDevice[] = {
    field<&ThrottleDevice::major>("major", kRequired),
    field<&ThrottleDevice::minor>("minor", kRequired),
    field<&ThrottleDevice::rate>("rate"),
};

constexpr Field kBlockIo[] = {
    field<&BlockIo::weight>("weight"),
    field<&BlockIo::leaf_weight>("leafWeight"),
    field<&BlockIo::weight_device>("weightDevice"),
    field<&BlockIo::throttle_read_bps_device>("throttleReadBpsDevice"),
    field<&BlockIo::throttle_write_bps_device>("throttleWriteBpsDevice"),
    field<&BlockIo::throttle_read_iops_device>("throttleReadIOPSDevice"),
    field<&BlockIo::throttle_write_iops_device>("throttleWriteIOPSDevice"),
};

constexpr Field kHugepageLimit[] = {
    field<&HugepageLimit::page_size>("pageSize", {.required = true, .pattern = &kPageSize}),
    field<&HugepageLimit::limit>("limit", kRequired),
};

constexpr Field kInterfacePriority[] = {
    field<&InterfacePriority::name>("name", kRequired),
    field<&InterfacePriority::priority>("priority", kRequired),
};

constexpr Field kNetwork[] = {
    field<&Network::class_id>("classID"),
    field<&Network::priorities>("priorities"),
};

constexpr Field kRdma[] = {
    field<&Rdma::hca_handles>("hcaHandles"),
    field<&Rdma::hca_objects>("hcaObjects"),
};

constexpr Field kResources[] = {
    field<&Resources::devices>("devices"),  field<&Resources::memory>("memory"),
    field<&Resources::cpu>("cpu"),          field<&Resources::pids>("pids"),
    field<&Resources::block_io>("blockIO"), field<&Resources::hugepage_limits>("hugepageLimits"),
    field<&Resources::network>("network"),  field<&Resources::rdma>("rdma"),
    field<&Resources::unified>("unified"),
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
