// What a container has used, in the shape of `events --stats` (which is runc's: callers decode it),
// so that the command only has to write it down. Values of v2 are converted to v1's meaning where
// there is one: times in nanoseconds, swap together with memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/result.h"
#include "src/linux/cgroup/cgroup.h"

namespace ocirt::cgroup {

// Pressure stall information (psi of the kernel's documentation). Hundredths of a percent.
struct Pressure {
  struct Line {
    uint64_t avg10 = 0, avg60 = 0, avg300 = 0;  // 1234 is "12.34"
    uint64_t total = 0;                         // microseconds
    bool operator==(const Line&) const = default;
  };
  Line some, full;
  bool operator==(const Pressure&) const = default;
};

struct CpuStats {
  uint64_t total = 0, kernel = 0, user = 0;                  // nanoseconds
  std::vector<uint64_t> percpu, percpu_kernel, percpu_user;  // v1
  uint64_t periods = 0, throttled_periods = 0, throttled_time = 0;
  uint64_t bursts = 0, burst_time = 0;  // v2
  std::optional<Pressure> psi;
};

struct MemoryUse {
  uint64_t limit = 0, usage = 0, max = 0, failcnt = 0;  // bytes; a limit of UINT64_MAX is none
};
struct MemoryStats {
  uint64_t cache = 0;
  MemoryUse usage, swap, kernel, kernel_tcp;             // swap: with memory, max 0 on v2
  std::vector<std::pair<std::string, uint64_t>> raw;     // memory.stat
  std::vector<std::pair<std::string, uint64_t>> events;  // v2's memory.events
  uint64_t swap_alone = 0, swap_alone_limit = 0;         // v2: without memory; UINT64_MAX is none
  std::optional<uint64_t> oom_kills;                     // processes that the limit has killed
  std::optional<Pressure> psi;
};

struct PidsStats {
  uint64_t current = 0;
  uint64_t limit = 0;  // 0: none
};

struct BlockIoEntry {
  uint64_t major = 0, minor = 0;
  std::string op;  // "Read", "Write", "Sync", "Async", "Discard", "Total"; empty for plain numbers
  uint64_t value = 0;
  bool operator==(const BlockIoEntry&) const = default;
};
struct BlockIoStats {
  std::vector<BlockIoEntry> service_bytes, serviced, queued, service_time, wait_time, merged, time,
      sectors;
  std::optional<Pressure> psi;
};

struct HugetlbStats {
  std::string page_size;  // "2MB"
  uint64_t usage = 0, max = 0, failcnt = 0;
};

// What the files of v1's cpuset say; as a cgroup begins where there are none.
struct CpusetSettings {
  uint64_t cpu_exclusive = 0, mem_hardwall = 0, mem_exclusive = 0, memory_migrate = 0,
           memory_spread_page = 0, memory_spread_slab = 0, memory_pressure = 0,
           sched_load_balance = 0;
  int64_t sched_relax_domain_level = 0;
};

struct Stats {
  CpuStats cpu;
  MemoryStats memory;
  PidsStats pids;
  BlockIoStats block_io;
  std::vector<HugetlbStats> hugetlb;  // sorted by name
  CpusetSettings cpuset;
  std::string cpuset_cpus, cpuset_mems;  // lists such as "0-3"; empty without the controller
};

// Reads everything that the hierarchies have; what a controller that is missing would say stays
// zero. Code ENOENT when the cgroup is gone.
Result<Stats> read_stats(const Location& location);

// Parsers of the kernel's formats, apart for their tests.
std::optional<Pressure> parse_pressure(std::string_view text);
// "8:0 Read 4096" of v1; lines without a device are left out.
std::vector<BlockIoEntry> parse_block_io(std::string_view text);
// "8:0 rbytes=1 wbytes=2 rios=3 wios=4 ..." of v2.
void parse_io_stat(std::string_view text, BlockIoStats& out);

}  // namespace ocirt::cgroup
