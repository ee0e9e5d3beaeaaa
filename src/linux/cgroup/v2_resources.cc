// linux.resources for cgroup v2 (config-linux.md, "Control groups"; cgroup-v2 of the kernel's
// documentation). The specification counts in v1's units: see conversions.h.
#include <cstdint>

#include "src/base/text.h"
#include "src/linux/cgroup/conversions.h"
#include "src/linux/cgroup/hierarchies.h"
#include "src/linux/cgroup/settings.h"

namespace ocirt::cgroup {
namespace {

std::unexpected<Error> v1_only(std::string_view property) {
  return refuse(
      cat("linux.resources.", property, ": not supported: cgroup v2 has nothing like it"));
}

Result<> check_usage(const oci::Memory& memory, const Present& present) {
  const std::string text = present.memory_current.value_or("");
  const std::optional<int64_t> usage = to_number<int64_t>(trim(text));
  if (!usage) return {};  // a new cgroup on a host without the controller: the write will tell
  auto check = [&](const std::optional<int64_t>& limit, const char* property) -> Result<> {
    if (!limit || *limit <= 0 || *limit > *usage) return {};
    return refuse(cat("linux.resources.memory.", property, ": ", *limit,
                      " is not above the present usage of ", *usage, " bytes"));
  };
  TRY(check(memory.swap, "swap"));
  return check(memory.limit, "limit");
}

Result<> add_memory(const oci::Memory& memory, const Present& present, std::vector<Setting>& out) {
  if (memory.check_before_update.value_or(false)) TRY(check_usage(memory, present));
  const bool limited = is_set(memory.limit);
  std::optional<int64_t> swap;
  if (is_set(memory.swap)) {
    int64_t limit = -1;
    if (limited) {
      limit = *memory.limit;
    } else if (*memory.swap > 0) {
      const std::string text = present.memory_max.value_or("");
      const std::optional<int64_t> now = to_number<int64_t>(trim(text));
      if (!now) {
        return refuse(
            "linux.resources.memory.swap: is memory and swap together, so that it needs "
            "linux.resources.memory.limit");
      }
      limit = *now;
    }
    swap = TRY(swap_without_memory(*memory.swap, limit));
  } else if (limited && *memory.limit < 0) {
    swap = -1;  // as on v1: no limit means none on swap either
  }
  // Without swap in the kernel nothing is swapped: "none" and "no limit" hold by themselves.
  if (swap) {
    out.push_back({"memory.swap", "memory", "memory.swap.max", number_or_max(*swap), *swap <= 0});
  }
  if (limited) {
    out.push_back(
        {"memory.limit", "memory", "memory.max", number_or_max(*memory.limit), *memory.limit < 0});
  }
  if (is_set(memory.reservation)) {
    out.push_back(
        {"memory.reservation", "memory", "memory.low", number_or_max(*memory.reservation)});
  }
  return {};
}

Result<> add_cpu(const oci::Cpu& cpu, const Present& present, std::vector<Setting>& out) {
  auto add = [&](const char* property, const char* file, std::string value, bool harmless = false) {
    out.push_back({cat("cpu.", property), "cpu", file, std::move(value), harmless});
  };
  if (is_set(cpu.realtime_runtime)) return v1_only("cpu.realtimeRuntime");
  if (is_set(cpu.realtime_period)) return v1_only("cpu.realtimePeriod");
  if (cpu.idle) add("idle", "cpu.idle", cat(*cpu.idle), *cpu.idle == 0);
  const bool idle = cpu.idle && *cpu.idle == 1;  // has a weight of its own and refuses another
  if (is_set(cpu.shares) && !idle)
    add("shares", "cpu.weight", cat(weight_from_shares(*cpu.shares)));
  if (is_set(cpu.quota)) {
    // A quota alone leaves the period as it is.
    std::string value = number_or_max(*cpu.quota);
    if (is_set(cpu.period)) value += cat(' ', *cpu.period);
    add("quota", "cpu.max", std::move(value), *cpu.quota < 0);
  } else if (is_set(cpu.period)) {
    const std::string now = present.cpu_max.value_or("");
    const std::vector<std::string_view> fields = words(now);
    add("period", "cpu.max", cat(fields.empty() ? "max" : fields[0], ' ', *cpu.period));
  }
  if (cpu.burst) add("burst", "cpu.max.burst", cat(*cpu.burst), *cpu.burst == 0);
  return {};
}

// io.max takes "max" where v1 takes 0 for "no limit".
void add_throttle(const std::vector<oci::ThrottleDevice>& devices, const char* property,
                  const char* key, std::vector<Setting>& out) {
  for (const oci::ThrottleDevice& device : devices) {
    const uint64_t rate = device.rate.value_or(0);
    out.push_back(
        {cat("blockIO.", property), "io", "io.max",
         cat(device.major, ':', device.minor, ' ', key, '=', rate == 0 ? "max" : cat(rate)),
         rate == 0});
  }
}

// BFQ has the range of v1, io.weight (io.cost) its own.
Result<> add_block_io(const oci::BlockIo& io, std::vector<Setting>& out) {
  if (is_set(io.leaf_weight)) return v1_only("blockIO.leafWeight");
  if (is_set(io.weight)) {
    out.push_back({"blockIO.weight", "io", "io.bfq.weight", cat(*io.weight), false, "io.weight",
                   cat(io_weight_from_weight(*io.weight))});
  }
  for (const oci::WeightDevice& device : io.weight_device) {
    if (is_set(device.leaf_weight)) return v1_only("blockIO.weightDevice.leafWeight");
    if (!is_set(device.weight)) continue;
    const std::string name = cat(device.major, ':', device.minor, ' ');
    out.push_back({"blockIO.weightDevice", "io", "io.bfq.weight", cat(name, *device.weight), false,
                   "io.weight", cat(name, io_weight_from_weight(*device.weight))});
  }
  add_throttle(io.throttle_read_bps_device, "throttleReadBpsDevice", "rbps", out);
  add_throttle(io.throttle_write_bps_device, "throttleWriteBpsDevice", "wbps", out);
  add_throttle(io.throttle_read_iops_device, "throttleReadIOPSDevice", "riops", out);
  add_throttle(io.throttle_write_iops_device, "throttleWriteIOPSDevice", "wiops", out);
  return {};
}

// Files of v2 by their names. A value of several lines is written line by line: control files take
// one at a time.
Result<> add_unified(const oci::Map<std::string>& unified, std::vector<Setting>& out) {
  for (const auto& [file, value] : unified) {
    const std::string property = cat("unified.", file);
    const size_t dot = file.find('.');
    if (dot == 0 || dot == std::string_view::npos || file.find('/') != std::string_view::npos ||
        file.find('\0') != std::string_view::npos) {
      return refuse(cat("linux.resources.unified: ", quoted(file),
                        " is not the name of a control file, as in \"memory.high\": the specified "
                        "key has not the form CONTROLLER.VALUE `",
                        file, "`"));
    }
    std::string_view rest = value;
    while (std::optional<std::string_view> line = next_line(rest)) {
      if (line->empty()) continue;
      out.push_back({property, file.substr(0, dot), file, std::string(*line)});
    }
  }
  return {};
}

}  // namespace

bool needs_memory_max(const oci::Resources& resources) {
  return resources.memory && resources.memory->swap.value_or(0) > 0 &&
         !is_set(resources.memory->limit);
}

bool needs_memory_current(const oci::Resources& resources) {
  return resources.memory && resources.memory->check_before_update.value_or(false) &&
         (resources.memory->limit.value_or(0) > 0 || resources.memory->swap.value_or(0) > 0);
}

bool needs_cpu_max(const oci::Resources& resources) {
  return resources.cpu && is_set(resources.cpu->period) && !is_set(resources.cpu->quota);
}

Result<std::vector<Setting>> v2_settings(const oci::Resources& resources, const Present& present) {
  std::vector<Setting> out;
  if (resources.cpu) {
    TRY(add_cpu(*resources.cpu, present, out));
    if (resources.cpu->cpus && !resources.cpu->cpus->empty()) {
      out.push_back({"cpu.cpus", "cpuset", "cpuset.cpus", *resources.cpu->cpus});
    }
    if (resources.cpu->mems && !resources.cpu->mems->empty()) {
      out.push_back({"cpu.mems", "cpuset", "cpuset.mems", *resources.cpu->mems});
    }
  }
  if (resources.memory) TRY(add_memory(*resources.memory, present, out));
  if (resources.pids) {
    out.push_back({"pids.limit", "pids", "pids.max", number_or_max(resources.pids->limit),
                   resources.pids->limit < 0});
  }
  if (resources.block_io) TRY(add_block_io(*resources.block_io, out));
  for (const oci::HugepageLimit& limit : resources.hugepage_limits) {
    TRY(check_word("hugepageLimits.pageSize", limit.page_size));
    const std::string file = cat("hugetlb.", limit.page_size);
    out.push_back({"hugepageLimits", "hugetlb", cat(file, ".max"), cat(limit.limit)});
    out.push_back({"hugepageLimits", "hugetlb", cat(file, ".rsvd.max"), cat(limit.limit), true});
  }
  if (resources.network) {
    if (is_set(resources.network->class_id)) return v1_only("network.classID");
    if (!resources.network->priorities.empty()) return v1_only("network.priorities");
  }
  TRY(add_rdma(resources, out));
  TRY(add_unified(resources.unified, out));
  return out;
}

}  // namespace ocirt::cgroup
