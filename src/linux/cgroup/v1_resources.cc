// linux.resources for cgroup v1 (config-linux.md, "Control groups"; cgroup-v1 of the kernel's
// documentation). Values are v1's own, so that most rows only name the file.
#include <cstdint>

#include "src/base/text.h"
#include "src/linux/cgroup/settings.h"

namespace ocirt::cgroup {
namespace {

Result<> add_memory(const oci::Memory& memory, std::vector<Setting>& out) {
  constexpr const char* kSwapFile = "memory.memsw.limit_in_bytes";
  const bool limited = is_set(memory.limit);
  bool swap_set = is_set(memory.swap);
  int64_t swap = swap_set ? *memory.swap : 0;
  if (limited && swap_set && *memory.limit > 0 && swap > 0 && swap < *memory.limit) {
    return refuse(cat("linux.resources.memory.swap: ", swap,
                      " is memory and swap together and must ",
                      "not be below linux.resources.memory.limit, which is ", *memory.limit));
  }
  // Memory without a limit does not fit below a limit of memory and swap.
  if (limited && *memory.limit < 0 && !swap_set) {
    swap_set = true;
    swap = -1;
  }
  if (limited) {
    out.push_back({"memory.limit", "memory", "memory.limit_in_bytes",
                   cat(*memory.limit < 0 ? -1 : *memory.limit), *memory.limit < 0});
  }
  if (swap_set) {
    out.push_back({"memory.swap", "memory", kSwapFile, cat(swap < 0 ? -1 : swap), swap < 0});
  }
  if (is_set(memory.reservation)) {
    out.push_back({"memory.reservation", "memory", "memory.soft_limit_in_bytes",
                   cat(*memory.reservation < 0 ? -1 : *memory.reservation),
                   *memory.reservation < 0});
  }
  if (memory.swappiness && *memory.swappiness != UINT64_MAX) {  // docker's -1: not set
    if (*memory.swappiness > 100) {
      return refuse(cat("linux.resources.memory.swappiness: ", *memory.swappiness,
                        " must be between 0 and 100"));
    }
    out.push_back({"memory.swappiness", "memory", "memory.swappiness", cat(*memory.swappiness)});
  }
  if (memory.disable_oom_killer) {
    out.push_back({"memory.disableOOMKiller", "memory", "memory.oom_control",
                   *memory.disable_oom_killer ? "1" : "0", !*memory.disable_oom_killer});
  }
  if (memory.use_hierarchy) {
    out.push_back({"memory.useHierarchy", "memory", "memory.use_hierarchy",
                   *memory.use_hierarchy ? "1" : "0", *memory.use_hierarchy});
  }
  return {};
}

Result<> add_cpu(const oci::Cpu& cpu, std::vector<Setting>& out) {
  auto add = [&](const char* property, const char* file, std::string value, bool harmless = false) {
    out.push_back({cat("cpu.", property), "cpu", file, std::move(value), harmless});
  };
  if (is_set(cpu.realtime_period)) {
    add("realtimePeriod", "cpu.rt_period_us", cat(*cpu.realtime_period));
  }
  if (is_set(cpu.realtime_runtime)) {
    add("realtimeRuntime", "cpu.rt_runtime_us", cat(*cpu.realtime_runtime));
  }
  if (cpu.idle) add("idle", "cpu.idle", cat(*cpu.idle), *cpu.idle == 0);
  const bool idle = cpu.idle && *cpu.idle == 1;
  if (is_set(cpu.shares)) {
    // The kernel would take the nearest value that it can have without a word.
    if (*cpu.shares < 2 || *cpu.shares > 262144) {
      return refuse(cat("linux.resources.cpu.shares: ", *cpu.shares,
                        " must be between 2 and 262144 on cgroup v1"));
    }
    // An idle cgroup has a weight of its own and refuses another.
    if (!idle) add("shares", "cpu.shares", cat(*cpu.shares));
  }
  if (is_set(cpu.period)) add("period", "cpu.cfs_period_us", cat(*cpu.period));
  if (is_set(cpu.quota)) {
    add("quota", "cpu.cfs_quota_us", cat(*cpu.quota < 0 ? -1 : *cpu.quota), *cpu.quota < 0);
  }
  if (cpu.burst) add("burst", "cpu.cfs_burst_us", cat(*cpu.burst), *cpu.burst == 0);
  return {};
}

void add_throttle(const std::vector<oci::ThrottleDevice>& devices, const char* property,
                  const char* file, std::vector<Setting>& out) {
  for (const oci::ThrottleDevice& device : devices) {
    out.push_back({cat("blockIO.", property), "blkio", file,
                   cat(device.major, ':', device.minor, ' ', device.rate.value_or(0))});
  }
}

// The weights belonged to the CFQ scheduler until Linux 5.0 and belong to BFQ since then, under
// other names.
void add_block_io(const oci::BlockIo& io, std::vector<Setting>& out) {
  auto add = [&](const char* property, const char* file, std::string value,
                 const char* other = "") {
    std::string other_value = *other != '\0' ? value : std::string();
    out.push_back({cat("blockIO.", property), "blkio", file, std::move(value), false, other,
                   std::move(other_value)});
  };
  if (is_set(io.weight)) add("weight", "blkio.weight", cat(*io.weight), "blkio.bfq.weight");
  if (is_set(io.leaf_weight)) add("leafWeight", "blkio.leaf_weight", cat(*io.leaf_weight));
  for (const oci::WeightDevice& device : io.weight_device) {
    const std::string name = cat(device.major, ':', device.minor, ' ');
    if (is_set(device.weight)) {
      add("weightDevice", "blkio.weight_device", cat(name, *device.weight),
          "blkio.bfq.weight_device");
    }
    if (is_set(device.leaf_weight)) {
      add("weightDevice", "blkio.leaf_weight_device", cat(name, *device.leaf_weight));
    }
  }
  add_throttle(io.throttle_read_bps_device, "throttleReadBpsDevice",
               "blkio.throttle.read_bps_device", out);
  add_throttle(io.throttle_write_bps_device, "throttleWriteBpsDevice",
               "blkio.throttle.write_bps_device", out);
  add_throttle(io.throttle_read_iops_device, "throttleReadIOPSDevice",
               "blkio.throttle.read_iops_device", out);
  add_throttle(io.throttle_write_iops_device, "throttleWriteIOPSDevice",
               "blkio.throttle.write_iops_device", out);
}

}  // namespace

Result<> check_word(std::string_view property, std::string_view word) {
  if (word.empty() || word.find_first_of(" \t\n/") != std::string_view::npos ||
      word.find('\0') != std::string_view::npos) {
    return refuse(cat("linux.resources.", property, ": ", quoted(word), " is not a name"));
  }
  return {};
}

Result<> add_rdma(const oci::Resources& resources, std::vector<Setting>& out) {
  for (const auto& [device, limits] : resources.rdma) {
    TRY(check_word("rdma", device));
    std::string line = device;
    if (limits.hca_handles) line += cat(" hca_handle=", *limits.hca_handles);
    if (limits.hca_objects) line += cat(" hca_object=", *limits.hca_objects);
    if (line == device) {
      return refuse(cat("linux.resources.rdma.", device, ": needs hcaHandles or hcaObjects"));
    }
    out.push_back({cat("rdma.", device), "rdma", "rdma.max", std::move(line)});
  }
  return {};
}

Result<std::vector<Setting>> v1_settings(const oci::Resources& resources) {
  std::vector<Setting> out;
  if (resources.cpu) {
    TRY(add_cpu(*resources.cpu, out));
    if (resources.cpu->cpus && !resources.cpu->cpus->empty()) {
      out.push_back({"cpu.cpus", "cpuset", "cpuset.cpus", *resources.cpu->cpus});
    }
    if (resources.cpu->mems && !resources.cpu->mems->empty()) {
      out.push_back({"cpu.mems", "cpuset", "cpuset.mems", *resources.cpu->mems});
    }
  }
  if (resources.memory) TRY(add_memory(*resources.memory, out));
  if (resources.pids) {
    const int64_t limit = resources.pids->limit;
    out.push_back({"pids.limit", "pids", "pids.max", limit < 0 ? "max" : cat(limit), limit < 0});
  }
  if (resources.block_io) add_block_io(*resources.block_io, out);
  for (const oci::HugepageLimit& limit : resources.hugepage_limits) {
    TRY(check_word("hugepageLimits.pageSize", limit.page_size));
    const std::string file = cat("hugetlb.", limit.page_size);
    out.push_back({"hugepageLimits", "hugetlb", cat(file, ".limit_in_bytes"), cat(limit.limit)});
    // Reservations are counted apart since Linux 5.7.
    out.push_back(
        {"hugepageLimits", "hugetlb", cat(file, ".rsvd.limit_in_bytes"), cat(limit.limit), true});
  }
  if (resources.network) {
    if (resources.network->class_id) {
      out.push_back({"network.classID", "net_cls", "net_cls.classid",
                     cat(*resources.network->class_id), *resources.network->class_id == 0});
    }
    for (const oci::InterfacePriority& priority : resources.network->priorities) {
      TRY(check_word("network.priorities.name", priority.name));
      out.push_back({"network.priorities", "net_prio", "net_prio.ifpriomap",
                     cat(priority.name, ' ', priority.priority)});
    }
  }
  TRY(add_rdma(resources, out));
  if (!resources.unified.empty()) {
    return refuse(
        "linux.resources.unified: not supported: invalid configuration, this host has cgroup v1 "
        "only");
  }
  return out;
}

}  // namespace ocirt::cgroup
