#include "src/shim/metrics.h"

#include <cerrno>
#include <cstdint>
#include <string_view>

#include "src/base/text.h"
#include "src/linux/cgroup/hierarchies.h"

namespace ocirt::shim {
namespace {

using wire::blank;
using wire::lend;

// A field of MemoryStat and its name in memory.stat.
template <class M>
struct Field {
  std::string_view name;
  uint64_t M::* member;
};

#define OCIRT_SAME(name) {#name, &MemoryStat::name}
#define OCIRT_PAIR(name) \
  {#name, &MemoryStat::name}, { "total_" #name, &MemoryStat::total_##name }

namespace v1 {
using wire::v1::MemoryStat;
constexpr Field<MemoryStat> kMemory[] = {
    OCIRT_PAIR(cache),
    OCIRT_PAIR(rss),
    OCIRT_PAIR(rss_huge),
    OCIRT_PAIR(mapped_file),
    OCIRT_PAIR(dirty),
    OCIRT_PAIR(writeback),
    {"pgpgin", &MemoryStat::pg_pg_in},
    {"total_pgpgin", &MemoryStat::total_pg_pg_in},
    {"pgpgout", &MemoryStat::pg_pg_out},
    {"total_pgpgout", &MemoryStat::total_pg_pg_out},
    {"pgfault", &MemoryStat::pg_fault},
    {"total_pgfault", &MemoryStat::total_pg_fault},
    {"pgmajfault", &MemoryStat::pg_maj_fault},
    {"total_pgmajfault", &MemoryStat::total_pg_maj_fault},
    OCIRT_PAIR(inactive_anon),
    OCIRT_PAIR(active_anon),
    OCIRT_PAIR(inactive_file),
    OCIRT_PAIR(active_file),
    OCIRT_PAIR(unevictable),
    {"hierarchical_memory_limit", &MemoryStat::hierarchical_memory_limit},
    {"hierarchical_memsw_limit", &MemoryStat::hierarchical_swap_limit},
};
}  // namespace v1

namespace v2 {
using wire::v2::MemoryEvents;
using wire::v2::MemoryStat;
constexpr Field<MemoryStat> kMemory[] = {
    OCIRT_SAME(anon),
    OCIRT_SAME(file),
    OCIRT_SAME(kernel_stack),
    OCIRT_SAME(slab),
    OCIRT_SAME(sock),
    OCIRT_SAME(shmem),
    OCIRT_SAME(file_mapped),
    OCIRT_SAME(file_dirty),
    OCIRT_SAME(file_writeback),
    {"anon_thp", &MemoryStat::anon_thp},
    OCIRT_SAME(inactive_anon),
    OCIRT_SAME(active_anon),
    OCIRT_SAME(inactive_file),
    OCIRT_SAME(active_file),
    OCIRT_SAME(unevictable),
    OCIRT_SAME(slab_reclaimable),
    OCIRT_SAME(slab_unreclaimable),
    OCIRT_SAME(pgfault),
    OCIRT_SAME(pgmajfault),
    OCIRT_SAME(workingset_nodereclaim),
    OCIRT_SAME(pgrefill),
    OCIRT_SAME(pgscan),
    OCIRT_SAME(pgsteal),
    OCIRT_SAME(pgactivate),
    OCIRT_SAME(pgdeactivate),
    OCIRT_SAME(pglazyfree),
    OCIRT_SAME(pglazyfreed),
    OCIRT_SAME(thp_fault_alloc),
    OCIRT_SAME(thp_collapse_alloc),
    // One counter before Linux 5.9, two since.
    {"workingset_refault", &MemoryStat::workingset_refault},
    {"workingset_refault_anon", &MemoryStat::workingset_refault},
    {"workingset_refault_file", &MemoryStat::workingset_refault},
    {"workingset_activate", &MemoryStat::workingset_activate},
    {"workingset_activate_anon", &MemoryStat::workingset_activate},
    {"workingset_activate_file", &MemoryStat::workingset_activate},
};
constexpr Field<MemoryEvents> kEvents[] = {
    {"low", &MemoryEvents::low}, {"high", &MemoryEvents::high},         {"max", &MemoryEvents::max},
    {"oom", &MemoryEvents::oom}, {"oom_kill", &MemoryEvents::oom_kill},
};
}  // namespace v2

#undef OCIRT_SAME
#undef OCIRT_PAIR

template <class M, size_t N>
void fill(M& message, const Field<M> (&fields)[N],
          const std::vector<std::pair<std::string, uint64_t>>& rows) {
  for (const auto& [name, value] : rows) {
    for (const Field<M>& field : fields) {
      if (field.name == name) message.*field.member += value;
    }
  }
}

wire::v1::MemoryEntry entry_of(const cgroup::MemoryUse& use) {
  auto entry = blank<wire::v1::MemoryEntry>();
  entry.limit = use.limit;
  entry.usage = use.usage;
  entry.max = use.max;
  entry.failcnt = use.failcnt;
  return entry;
}

using V1Rows = wire::Rows<wire::v1::BlkIOEntry>;

void add_rows(V1Rows& rows, const std::vector<cgroup::BlockIoEntry>& entries) {
  for (const cgroup::BlockIoEntry& entry : entries) {
    wire::v1::BlkIOEntry& row = rows.add();
    row.op = lend(entry.op);
    row.major = entry.major;
    row.minor = entry.minor;
    row.value = entry.value;
  }
}

// v1's figures are a row for each kind of request; v2's a row for each device.
void add_io(wire::Rows<wire::v2::IOEntry>& rows, std::vector<wire::v2::IOEntry*>& known,
            const std::vector<cgroup::BlockIoEntry>& entries, bool bytes) {
  for (const cgroup::BlockIoEntry& entry : entries) {
    wire::v2::IOEntry* row = nullptr;
    for (wire::v2::IOEntry* other : known) {
      if (other->major == entry.major && other->minor == entry.minor) row = other;
    }
    if (row == nullptr) {
      row = &rows.add();
      row->major = entry.major;
      row->minor = entry.minor;
      known.push_back(row);
    }
    if (entry.op == "Read") (bytes ? row->rbytes : row->rios) = entry.value;
    if (entry.op == "Write") (bytes ? row->wbytes : row->wios) = entry.value;
  }
}

// A PSIStats and what it consists of, for as long as it is lent.
struct Psi {
  wire::v2::PSIData some = blank<wire::v2::PSIData>(), full = blank<wire::v2::PSIData>();
  wire::v2::PSIStats both = blank<wire::v2::PSIStats>();

  // nullptr where the kernel does not count it.
  wire::v2::PSIStats* lend(const std::optional<cgroup::Pressure>& pressure) {
    if (!pressure) return nullptr;
    fill(some, pressure->some);
    fill(full, pressure->full);
    both.some = &some;
    both.full = &full;
    return &both;
  }
  static void fill(wire::v2::PSIData& data, const cgroup::Pressure::Line& line) {
    auto percent = [](uint64_t hundredths) { return static_cast<double>(hundredths) / 100; };
    data.avg10 = percent(line.avg10);
    data.avg60 = percent(line.avg60);
    data.avg300 = percent(line.avg300);
    data.total = line.total;
  }
};

// Left out where there is no adapter, as by containerd.
template <class Stat, class Entry>
class Rdma {
 public:
  explicit Rdma(const RdmaUse& use) {
    add(use.current, current_);
    add(use.limit, limit_);
    stat_.n_current = current_.size();
    stat_.current = current_.lend();
    stat_.n_limit = limit_.size();
    stat_.limit = limit_.lend();
  }
  Stat* lend() { return current_.size() == 0 ? nullptr : &stat_; }

 private:
  static void add(const std::vector<RdmaDevice>& devices, wire::Rows<Entry>& rows) {
    for (const RdmaDevice& device : devices) {
      Entry& row = rows.add();
      row.device = wire::lend(device.name);
      row.hca_handles = device.handles;
      row.hca_objects = device.objects;
    }
  }

  Stat stat_ = blank<Stat>();
  wire::Rows<Entry> current_, limit_;
};

}  // namespace

wire::AnyValue v1_metrics(const cgroup::Stats& stats, const RdmaUse& use) {
  auto metrics = blank<wire::v1::Metrics>();
  auto pids = blank<wire::v1::PidsStat>();
  pids.current = stats.pids.current;
  pids.limit = stats.pids.limit;
  metrics.pids = &pids;

  auto usage = blank<wire::v1::CPUUsage>();
  usage.total = stats.cpu.total;
  usage.kernel = stats.cpu.kernel;
  usage.user = stats.cpu.user;
  usage.n_per_cpu = stats.cpu.percpu.size();
  usage.per_cpu = const_cast<uint64_t*>(stats.cpu.percpu.data());
  auto throttling = blank<wire::v1::Throttle>();
  throttling.periods = stats.cpu.periods;
  throttling.throttled_periods = stats.cpu.throttled_periods;
  throttling.throttled_time = stats.cpu.throttled_time;
  auto cpu = blank<wire::v1::CPUStat>();
  cpu.usage = &usage;
  cpu.throttling = &throttling;
  metrics.cpu = &cpu;

  auto memory = blank<wire::v1::MemoryStat>();
  fill(memory, v1::kMemory, stats.memory.raw);
  wire::v1::MemoryEntry all = entry_of(stats.memory.usage), swap = entry_of(stats.memory.swap),
                        kernel = entry_of(stats.memory.kernel),
                        tcp = entry_of(stats.memory.kernel_tcp);
  memory.usage = &all;
  memory.swap = &swap;
  memory.kernel = &kernel;
  memory.kernel_tcp = &tcp;
  metrics.memory = &memory;
  auto oom = blank<wire::v1::MemoryOomControl>();
  oom.oom_kill = stats.memory.oom_kills.value_or(0);
  metrics.memory_oom_control = &oom;

  auto blkio = blank<wire::v1::BlkIOStat>();
  V1Rows bytes, serviced, queued, service_time, wait_time, merged, time, sectors;
  struct {
    V1Rows& rows;
    const std::vector<cgroup::BlockIoEntry>& from;
    size_t& count;
    wire::v1::BlkIOEntry**& place;
  } const lists[] = {
      {bytes, stats.block_io.service_bytes, blkio.n_io_service_bytes_recursive,
       blkio.io_service_bytes_recursive},
      {serviced, stats.block_io.serviced, blkio.n_io_serviced_recursive,
       blkio.io_serviced_recursive},
      {queued, stats.block_io.queued, blkio.n_io_queued_recursive, blkio.io_queued_recursive},
      {service_time, stats.block_io.service_time, blkio.n_io_service_time_recursive,
       blkio.io_service_time_recursive},
      {wait_time, stats.block_io.wait_time, blkio.n_io_wait_time_recursive,
       blkio.io_wait_time_recursive},
      {merged, stats.block_io.merged, blkio.n_io_merged_recursive, blkio.io_merged_recursive},
      {time, stats.block_io.time, blkio.n_io_time_recursive, blkio.io_time_recursive},
      {sectors, stats.block_io.sectors, blkio.n_sectors_recursive, blkio.sectors_recursive},
  };
  for (const auto& list : lists) {
    add_rows(list.rows, list.from);
    list.count = list.rows.size();
    list.place = list.rows.lend();
  }
  metrics.blkio = &blkio;

  wire::Rows<wire::v1::HugetlbStat> hugetlb;
  for (const cgroup::HugetlbStats& size : stats.hugetlb) {
    wire::v1::HugetlbStat& row = hugetlb.add();
    row.usage = size.usage;
    row.max = size.max;
    row.failcnt = size.failcnt;
    row.pagesize = lend(size.page_size);
  }
  metrics.n_hugetlb = hugetlb.size();
  metrics.hugetlb = hugetlb.lend();
  Rdma<wire::v1::RdmaStat, wire::v1::RdmaEntry> rdma(use);
  metrics.rdma = rdma.lend();
  return wire::any_of(metrics);
}

wire::AnyValue v2_metrics(const cgroup::Stats& stats, const RdmaUse& use) {
  auto metrics = blank<wire::v2::Metrics>();
  auto pids = blank<wire::v2::PidsStat>();
  pids.current = stats.pids.current;
  pids.limit = stats.pids.limit == 0 ? UINT64_MAX : stats.pids.limit;
  metrics.pids = &pids;

  auto cpu = blank<wire::v2::CPUStat>();
  cpu.usage_usec = stats.cpu.total / 1000;
  cpu.user_usec = stats.cpu.user / 1000;
  cpu.system_usec = stats.cpu.kernel / 1000;
  cpu.nr_periods = stats.cpu.periods;
  cpu.nr_throttled = stats.cpu.throttled_periods;
  cpu.throttled_usec = stats.cpu.throttled_time / 1000;
  cpu.nr_bursts = stats.cpu.bursts;
  cpu.burst_usec = stats.cpu.burst_time / 1000;
  Psi of_cpu, of_memory, of_io;
  cpu.psi = of_cpu.lend(stats.cpu.psi);
  metrics.cpu = &cpu;

  auto memory = blank<wire::v2::MemoryStat>();
  fill(memory, v2::kMemory, stats.memory.raw);
  memory.usage = stats.memory.usage.usage;
  memory.usage_limit = stats.memory.usage.limit;
  memory.max_usage = stats.memory.usage.max;
  memory.swap_usage = stats.memory.swap_alone;
  memory.swap_limit = stats.memory.swap_alone_limit;
  memory.psi = of_memory.lend(stats.memory.psi);
  auto events = blank<wire::v2::MemoryEvents>();
  fill(events, v2::kEvents, stats.memory.events);
  // Without the controller there is nothing to be said; zeros would be taken for figures.
  if (!stats.memory.raw.empty()) {
    metrics.memory = &memory;
    metrics.memory_events = &events;
  }

  wire::Rows<wire::v2::IOEntry> rows;
  std::vector<wire::v2::IOEntry*> known;
  add_io(rows, known, stats.block_io.service_bytes, true);
  add_io(rows, known, stats.block_io.serviced, false);
  auto io = blank<wire::v2::IOStat>();
  io.n_usage = rows.size();
  io.usage = rows.lend();
  io.psi = of_io.lend(stats.block_io.psi);
  metrics.io = &io;

  wire::Rows<wire::v2::HugeTlbStat> hugetlb;
  for (const cgroup::HugetlbStats& size : stats.hugetlb) {
    wire::v2::HugeTlbStat& row = hugetlb.add();
    row.current = size.usage;
    row.pagesize = lend(size.page_size);
  }
  metrics.n_hugetlb = hugetlb.size();
  metrics.hugetlb = hugetlb.lend();
  Rdma<wire::v2::RdmaStat, wire::v2::RdmaEntry> rdma(use);
  metrics.rdma = rdma.lend();
  return wire::any_of(metrics);
}

Result<wire::AnyValue> read_metrics(const cgroup::Location& location, size_t most) {
  cgroup::Stats stats = TRY(cgroup::read_stats(location));
  const bool v1 = cgroup::v1_directory(location, "memory") != nullptr ||
                  cgroup::v1_directory(location, "cpu") != nullptr;
  const RdmaUse use = read_rdma(location);
  wire::AnyValue value = v1 ? v1_metrics(stats, use) : v2_metrics(stats, use);
  if (value.bytes.size() <= most) return value;
  stats.block_io = {};
  return v1 ? v1_metrics(stats, use) : v2_metrics(stats, use);
}

}  // namespace ocirt::shim
