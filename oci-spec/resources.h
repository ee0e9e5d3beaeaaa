// Cgroup settings: `linux.resources` of config.json, and the whole document of `update --resources`
// (config-linux.md, "Control groups"). An absent property leaves the kernel's value alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "oci-spec/map.h"

namespace oci {

// One rule for device access; the rules apply in their order, later ones win.
struct DeviceCgroup {
  bool allow = false;                      // required; permit or deny
  std::optional<std::string> type = {};    // "a" (all, also when absent), "b" or "c"
  std::optional<std::int64_t> major = {};  // absent or -1: any
  std::optional<std::int64_t> minor = {};  // absent or -1: any
  // Of r (read), w (write), m (mknod). Absent: all three, in rules that deny only.
  std::optional<std::string> access = {};

  bool operator==(const DeviceCgroup&) const = default;
};

// Bytes; -1 is unlimited.
struct Memory {
  std::optional<std::int64_t> limit = {};        // hard limit
  std::optional<std::int64_t> reservation = {};  // soft limit
  std::optional<std::int64_t> swap = {};         // limit of memory + swap together
  std::optional<std::int64_t> kernel = {};       // kernel memory; not recommended
  std::optional<std::int64_t> kernel_tcp = {};   // kernel TCP buffers; not recommended
  std::optional<std::uint64_t> swappiness = {};  // 0 to 100
  std::optional<bool> disable_oom_killer = {};   // true: the tasks wait instead of being killed
  std::optional<bool> use_hierarchy = {};        // cgroup v1: children share the limit
  std::optional<bool> check_before_update = {};  // refuse a limit below the present usage (v2)

  bool operator==(const Memory&) const = default;
};

struct Cpu {
  std::optional<std::uint64_t> shares = {};  // relative weight, cgroup v1 scale 2 to 262144
  std::optional<std::int64_t> quota = {};    // microseconds per period; negative: no limit
  std::optional<std::uint64_t> burst = {};   // microseconds that may be saved up
  std::optional<std::uint64_t> period = {};  // microseconds
  std::optional<std::int64_t> realtime_runtime = {};  // microseconds per realtime_period (v1)
  std::optional<std::uint64_t> realtime_period = {};  // microseconds (v1)
  std::optional<std::string> cpus = {};               // list such as "0-3,7"
  std::optional<std::string> mems = {};               // list of memory nodes
  std::optional<std::int64_t> idle = {};              // 1: SCHED_IDLE for the cgroup, 0: default

  bool operator==(const Cpu&) const = default;
};

struct Pids {
  std::int64_t limit = 0;  // required; -1 is unlimited

  bool operator==(const Pids&) const = default;
};

struct WeightDevice {
  std::int64_t major = 0;                         // required
  std::int64_t minor = 0;                         // required
  std::optional<std::uint16_t> weight = {};       // 10 to 1000
  std::optional<std::uint16_t> leaf_weight = {};  // against the children, CFQ only

  bool operator==(const WeightDevice&) const = default;
};

struct ThrottleDevice {
  std::int64_t major = 0;                  // required
  std::int64_t minor = 0;                  // required
  std::optional<std::uint64_t> rate = {};  // bytes or operations per second; absent is 0

  bool operator==(const ThrottleDevice&) const = default;
};

struct BlockIo {
  std::optional<std::uint16_t> weight = {};       // 10 to 1000
  std::optional<std::uint16_t> leaf_weight = {};  // against the children, CFQ only
  std::vector<WeightDevice> weight_device = {};
  std::vector<ThrottleDevice> throttle_read_bps_device = {};
  std::vector<ThrottleDevice> throttle_write_bps_device = {};
  std::vector<ThrottleDevice> throttle_read_iops_device = {};
  std::vector<ThrottleDevice> throttle_write_iops_device = {};

  bool operator==(const BlockIo&) const = default;
};

struct HugepageLimit {
  std::string page_size = {};  // required; "2MB", "64KB"
  std::uint64_t limit = 0;     // required; bytes

  bool operator==(const HugepageLimit&) const = default;
};

struct InterfacePriority {
  std::string name = {};       // required; interface in the runtime's network namespace
  std::uint32_t priority = 0;  // required

  bool operator==(const InterfacePriority&) const = default;
};

struct Network {
  std::optional<std::uint32_t> class_id = {};      // net_cls tag (v1)
  std::vector<InterfacePriority> priorities = {};  // net_prio (v1)

  bool operator==(const Network&) const = default;
};

struct Rdma {
  std::optional<std::uint32_t> hca_handles = {};  // at least one of the two
  std::optional<std::uint32_t> hca_objects = {};

  bool operator==(const Rdma&) const = default;
};

struct Resources {
  std::vector<DeviceCgroup> devices = {};
  std::optional<Memory> memory = {};
  std::optional<Cpu> cpu = {};
  std::optional<Pids> pids = {};
  std::optional<BlockIo> block_io = {};
  std::vector<HugepageLimit> hugepage_limits = {};
  std::optional<Network> network = {};
  Map<Rdma> rdma = {};            // by device name, "mlx5_1"
  Map<std::string> unified = {};  // cgroup v2 file to content: "memory.high" -> "1G"

  bool operator==(const Resources&) const = default;
};

}  // namespace oci
