#include "src/linux/cgroup/stats.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "src/base/text.h"
#include "src/linux/cgroup/hierarchies.h"
#include "src/sys/control_file.h"
#include "src/sys/file.h"

namespace ocirt::cgroup {
namespace {

// Files that are missing (a controller or a kernel option that is not there) read as empty.
std::string read(std::string_view directory, std::string_view file) {
  return sys::read_file(sys::kCwd, join(directory, file)).value_or(std::string());
}

uint64_t number(std::string_view text) {
  text = trim(text);
  return text == "max" ? UINT64_MAX : to_number<uint64_t>(text).value_or(0);
}
uint64_t read_number(std::string_view directory, std::string_view file) {
  return number(read(directory, file));
}

std::vector<std::pair<std::string, uint64_t>> parse_flat(std::string_view text) {
  std::vector<std::pair<std::string, uint64_t>> out;
  while (std::optional<std::string_view> line = next_line(text)) {
    const size_t blank = line->find(' ');
    if (blank == std::string_view::npos) continue;
    out.emplace_back(line->substr(0, blank), number(line->substr(blank + 1)));
  }
  return out;
}

uint64_t find_or_zero(const std::vector<std::pair<std::string, uint64_t>>& rows,
                      std::string_view key) {
  for (const auto& [name, value] : rows) {
    if (name == key) return value;
  }
  return 0;
}

// "12.34" -> 1234.
uint64_t hundredths(std::string_view text) {
  const size_t dot = text.find('.');
  const uint64_t whole = number(text.substr(0, dot));
  if (dot == std::string_view::npos) return whole * 100;
  std::string_view fraction = text.substr(dot + 1, 2);
  return whole * 100 + number(fraction) * (fraction.size() == 1 ? 10 : 1);
}

// ---- v1
// -------------------------------------------------------------------------------------------
void read_cpu_v1(const Location& location, CpuStats& out) {
  if (const Directory* cpu = v1_directory(location, "cpu")) {
    auto rows = parse_flat(read(cpu->path, "cpu.stat"));
    out.periods = find_or_zero(rows, "nr_periods");
    out.throttled_periods = find_or_zero(rows, "nr_throttled");
    out.throttled_time = find_or_zero(rows, "throttled_time");
  }
  const Directory* acct = v1_directory(location, "cpuacct");
  if (acct == nullptr) return;
  out.total = read_number(acct->path, "cpuacct.usage");
  auto rows = parse_flat(read(acct->path, "cpuacct.stat"));
  const uint64_t tick = 1'000'000'000 / static_cast<uint64_t>(std::max(1L, ::sysconf(_SC_CLK_TCK)));
  out.user = find_or_zero(rows, "user") * tick;
  out.kernel = find_or_zero(rows, "system") * tick;
  const std::string percpu = read(acct->path, "cpuacct.usage_percpu");
  for (std::string_view word : words(percpu)) out.percpu.push_back(number(word));
  // "cpu user system" and a line for each CPU.
  const std::string all = read(acct->path, "cpuacct.usage_all");
  std::string_view rest = all;
  (void)next_line(rest);
  while (std::optional<std::string_view> line = next_line(rest)) {
    const std::vector<std::string_view> fields = words(*line);
    if (fields.size() != 3) continue;
    out.percpu_user.push_back(number(fields[1]));
    out.percpu_kernel.push_back(number(fields[2]));
  }
}

MemoryUse read_use_v1(const std::string& directory, std::string_view prefix) {
  return {read_number(directory, cat(prefix, ".limit_in_bytes")),
          read_number(directory, cat(prefix, ".usage_in_bytes")),
          read_number(directory, cat(prefix, ".max_usage_in_bytes")),
          read_number(directory, cat(prefix, ".failcnt"))};
}

void read_memory_v1(const std::string& directory, MemoryStats& out) {
  out.raw = parse_flat(read(directory, "memory.stat"));
  out.cache = find_or_zero(out.raw, "cache");
  out.usage = read_use_v1(directory, "memory");
  out.swap = read_use_v1(directory, "memory.memsw");
  out.kernel = read_use_v1(directory, "memory.kmem");
  out.kernel_tcp = read_use_v1(directory, "memory.kmem.tcp");
  const std::string control = read(directory, "memory.oom_control");
  if (std::string_view value = value_of(control, "oom_kill"); !value.empty()) {
    out.oom_kills = number(value);
  }
}

// BFQ counts in detail when the kernel was built for it; else the throttle counts bytes and
// requests.
void read_block_io_v1(const std::string& directory, BlockIoStats& out) {
  auto rows = [&](std::string_view file) { return parse_block_io(read(directory, file)); };
  const std::string bfq = "blkio.bfq.";
  out.sectors = rows(bfq + "sectors_recursive");
  out.service_time = rows(bfq + "io_service_time_recursive");
  out.wait_time = rows(bfq + "io_wait_time_recursive");
  out.merged = rows(bfq + "io_merged_recursive");
  out.queued = rows(bfq + "io_queued_recursive");
  out.time = rows(bfq + "time_recursive");
  for (const char* prefix : {"blkio.bfq.io_", "blkio.io_", "blkio.throttle.io_"}) {
    out.serviced = rows(cat(prefix, "serviced_recursive"));
    out.service_bytes = rows(cat(prefix, "service_bytes_recursive"));
    if (!out.serviced.empty() || !out.service_bytes.empty()) return;
  }
}

CpusetSettings read_cpuset_v1(const std::string& directory) {
  auto value = [&](std::string_view name) { return read_number(directory, cat("cpuset.", name)); };
  CpusetSettings out;
  out.cpu_exclusive = value("cpu_exclusive");
  out.mem_hardwall = value("mem_hardwall");
  out.mem_exclusive = value("mem_exclusive");
  out.memory_migrate = value("memory_migrate");
  out.memory_spread_page = value("memory_spread_page");
  out.memory_spread_slab = value("memory_spread_slab");
  out.memory_pressure = value("memory_pressure");
  out.sched_load_balance = value("sched_load_balance");
  const std::string level = read(directory, "cpuset.sched_relax_domain_level");
  out.sched_relax_domain_level = to_number<int64_t>(trim(level)).value_or(0);
  return out;
}

// ---- v2
// -------------------------------------------------------------------------------------------
void read_cpu_v2(const std::string& directory, CpuStats& out) {
  auto rows = parse_flat(read(directory, "cpu.stat"));
  constexpr uint64_t kNanoseconds = 1000;
  out.total = find_or_zero(rows, "usage_usec") * kNanoseconds;
  out.user = find_or_zero(rows, "user_usec") * kNanoseconds;
  out.kernel = find_or_zero(rows, "system_usec") * kNanoseconds;
  out.periods = find_or_zero(rows, "nr_periods");
  out.throttled_periods = find_or_zero(rows, "nr_throttled");
  out.throttled_time = find_or_zero(rows, "throttled_usec") * kNanoseconds;
  out.bursts = find_or_zero(rows, "nr_bursts");
  out.burst_time = find_or_zero(rows, "burst_usec") * kNanoseconds;
}

void read_memory_v2(const std::string& directory, MemoryStats& out) {
  const std::string current = read(directory, "memory.current");
  if (current.empty()) return;  // without the controller
  out.raw = parse_flat(read(directory, "memory.stat"));
  out.cache = find_or_zero(out.raw, "file");
  const std::string events = read(directory, "memory.events");
  out.usage = {read_number(directory, "memory.max"), number(current),
               read_number(directory, "memory.peak"), number(value_of(events, "max"))};
  if (std::string_view value = value_of(events, "oom_kill"); !value.empty()) {
    out.oom_kills = number(value);
  }
  out.events = parse_flat(events);
  const std::string swap = read(directory, "memory.swap.current");
  if (swap.empty()) return;
  const uint64_t limit = read_number(directory, "memory.swap.max");
  out.swap_alone = number(swap);
  out.swap_alone_limit = limit;
  const bool unlimited = limit == UINT64_MAX || out.usage.limit == UINT64_MAX;
  out.swap = {unlimited ? UINT64_MAX : limit + out.usage.limit, number(swap) + out.usage.usage, 0,
              number(value_of(read(directory, "memory.swap.events"), "max"))};
}

// ---- both
// -----------------------------------------------------------------------------------------
void read_pids(const std::string& directory, PidsStats& out) {
  out.current = read_number(directory, "pids.current");
  const uint64_t limit = read_number(directory, "pids.max");
  out.limit = limit == UINT64_MAX ? 0 : limit;
}

// The page sizes are taken from the names of the files: "hugetlb.2MB.current".
std::vector<HugetlbStats> read_hugetlb(const std::string& directory, bool v2) {
  std::vector<HugetlbStats> out;
  Result<std::vector<std::string>> names = sys::list_directory(sys::kCwd, directory);
  if (!names) return out;
  constexpr std::string_view kPrefix = "hugetlb.";
  const std::string_view suffix = v2 ? ".current" : ".usage_in_bytes";
  for (const std::string& name : *names) {
    if (!name.starts_with(kPrefix) || !name.ends_with(suffix)) continue;
    const std::string size =
        name.substr(kPrefix.size(), name.size() - kPrefix.size() - suffix.size());
    if (size.find('.') != std::string_view::npos) continue;  // "2MB.rsvd"
    const std::string file = cat(kPrefix, size);
    HugetlbStats row{size, read_number(directory, name), 0, 0};
    if (v2) {
      row.failcnt = number(value_of(read(directory, cat(file, ".events")), "max"));
    } else {
      row.max = read_number(directory, cat(file, ".max_usage_in_bytes"));
      row.failcnt = read_number(directory, cat(file, ".failcnt"));
    }
    out.push_back(std::move(row));
  }
  std::ranges::sort(out, {}, &HugetlbStats::page_size);
  return out;
}

Result<> still_there(const std::string& directory) {
  if (sys::exists(sys::kCwd, directory)) return {};
  return std::unexpected(Error{ENOENT, cat("the cgroup ", directory, " is gone")});
}

}  // namespace

std::optional<Pressure> parse_pressure(std::string_view text) {
  // "some avg10=0.00 avg60=0.00 avg300=0.00 total=0"
  std::optional<Pressure> out;
  while (std::optional<std::string_view> line = next_line(text)) {
    const std::vector<std::string_view> fields = words(*line);
    if (fields.empty() || (fields[0] != "some" && fields[0] != "full")) continue;
    if (!out) out.emplace();
    Pressure::Line& to = fields[0] == "some" ? out->some : out->full;
    for (std::string_view field : fields) {
      const size_t equals = field.find('=');
      if (equals == std::string_view::npos) continue;
      const std::string_view key = field.substr(0, equals), value = field.substr(equals + 1);
      if (key == "avg10") to.avg10 = hundredths(value);
      if (key == "avg60") to.avg60 = hundredths(value);
      if (key == "avg300") to.avg300 = hundredths(value);
      if (key == "total") to.total = number(value);
    }
  }
  return out;
}

std::vector<BlockIoEntry> parse_block_io(std::string_view text) {
  std::vector<BlockIoEntry> out;
  while (std::optional<std::string_view> line = next_line(text)) {
    const std::vector<std::string_view> fields = words(*line);
    const size_t colon = fields.empty() ? std::string_view::npos : fields[0].find(':');
    if (colon == std::string_view::npos || fields.size() < 2 || fields.size() > 3) continue;
    out.push_back({number(fields[0].substr(0, colon)), number(fields[0].substr(colon + 1)),
                   fields.size() == 3 ? std::string(fields[1]) : std::string(),
                   number(fields.back())});
  }
  return out;
}

void parse_io_stat(std::string_view text, BlockIoStats& out) {
  while (std::optional<std::string_view> line = next_line(text)) {
    const std::vector<std::string_view> fields = words(*line);
    const size_t colon = fields.empty() ? std::string_view::npos : fields[0].find(':');
    if (colon == std::string_view::npos) continue;
    const uint64_t major = number(fields[0].substr(0, colon));
    const uint64_t minor = number(fields[0].substr(colon + 1));
    for (std::string_view field : fields) {
      const size_t equals = field.find('=');
      if (equals == std::string_view::npos) continue;
      const std::string_view key = field.substr(0, equals);
      const uint64_t value = number(field.substr(equals + 1));
      auto add = [&](std::vector<BlockIoEntry>& to, const char* op) {
        to.push_back({major, minor, op, value});
      };
      if (key == "rbytes") add(out.service_bytes, "Read");
      if (key == "wbytes") add(out.service_bytes, "Write");
      if (key == "dbytes") add(out.service_bytes, "Discard");
      if (key == "rios") add(out.serviced, "Read");
      if (key == "wios") add(out.serviced, "Write");
      if (key == "dios") add(out.serviced, "Discard");
    }
  }
}

Result<Stats> read_stats(const Location& location) {
  if (location.directories.empty()) {
    return std::unexpected(Error{ENOTSUP, "not supported: the container has no cgroup of its own"});
  }
  const std::string& first = location.directories.front().path;
  TRY(still_there(first));
  Stats stats;
  const Directory* v2 = v2_directory(location);
  auto v1 = [&](std::string_view controller) { return v1_directory(location, controller); };
  // A controller is read where it is; what v1 does not have may be in the cgroup2 tree.
  if (v1("cpuacct") != nullptr || v1("cpu") != nullptr) {
    read_cpu_v1(location, stats.cpu);
  } else if (v2 != nullptr) {
    read_cpu_v2(v2->path, stats.cpu);
  }
  if (const Directory* memory = v1("memory")) {
    read_memory_v1(memory->path, stats.memory);
  } else if (v2 != nullptr) {
    read_memory_v2(v2->path, stats.memory);
  }
  if (const Directory* pids = v1("pids") != nullptr ? v1("pids") : v2) {
    read_pids(pids->path, stats.pids);
  }
  // On v2 without the controller the processes can still be counted.
  if (stats.pids.current == 0) stats.pids.current = TRY(processes(location)).size();
  if (const Directory* blkio = v1("blkio")) {
    read_block_io_v1(blkio->path, stats.block_io);
  } else if (v2 != nullptr) {
    parse_io_stat(read(v2->path, "io.stat"), stats.block_io);
  }
  if (const Directory* hugetlb = v1("hugetlb")) {
    stats.hugetlb = read_hugetlb(hugetlb->path, false);
  } else if (v2 != nullptr) {
    stats.hugetlb = read_hugetlb(v2->path, true);
  }
  if (const Directory* cpuset = v1("cpuset") != nullptr ? v1("cpuset") : v2) {
    const bool is_v1 = !cpuset->controllers.empty();
    stats.cpuset_cpus = trim(read(cpuset->path, is_v1 ? "cpuset.cpus" : "cpuset.cpus.effective"));
    stats.cpuset_mems = trim(read(cpuset->path, is_v1 ? "cpuset.mems" : "cpuset.mems.effective"));
    if (is_v1) stats.cpuset = read_cpuset_v1(cpuset->path);
  }
  if (v2 != nullptr) {
    stats.cpu.psi = parse_pressure(read(v2->path, "cpu.pressure"));
    stats.memory.psi = parse_pressure(read(v2->path, "memory.pressure"));
    stats.block_io.psi = parse_pressure(read(v2->path, "io.pressure"));
  }
  // systemd removes a group as soon as it is empty: figures of which half are missing are none.
  TRY(still_there(v2 != nullptr ? v2->path : first));
  return stats;
}

}  // namespace ocirt::cgroup
