#include "src/container/stats_document.h"

#include "src/base/text.h"
#include "src/linux/cpu_list.h"

namespace ocirt::container {
namespace {

// What ids and the kernel's names can hold is harmless; nothing else may break the line.
std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) out += c;
  }
  return out + "\"";
}

// An object on its way into a text. Members are put in the order of the calls.
class Object {
 public:
  void member(std::string_view name, std::string_view json) {
    body_ += cat(body_.empty() ? "" : ",", in_quotes(name), ":", json);
  }
  void number(std::string_view name, uint64_t value) { member(name, cat(value)); }
  // Left out when it is 0.
  void count(std::string_view name, uint64_t value) {
    if (value != 0) number(name, value);
  }
  void text(std::string_view name, std::string_view value) {
    if (!value.empty()) member(name, in_quotes(value));
  }
  template <class T, class Print>
  void list(std::string_view name, const std::vector<T>& values, Print print) {
    std::string items;
    for (const T& value : values) items += cat(items.empty() ? "" : ",", print(value));
    if (!items.empty()) member(name, cat("[", items, "]"));
  }
  std::string json() const { return cat("{", body_, "}"); }

 private:
  std::string body_;
};

std::string number_text(uint64_t number) { return cat(number); }

// 1234 -> "12.34", 1200 -> "12", as Go's encoder prints the number.
std::string percent(uint64_t hundredths) {
  std::string out = cat(hundredths / 100);
  const uint64_t fraction = hundredths % 100;
  if (fraction == 0) return out;
  out += cat(".", fraction / 10);
  if (fraction % 10 != 0) out += cat(fraction % 10);
  return out;
}

void add_pressure(Object& to, const std::optional<cgroup::Pressure>& pressure) {
  if (!pressure) return;
  auto line = [](const cgroup::Pressure::Line& values) {
    Object out;
    out.member("avg10", percent(values.avg10));
    out.member("avg60", percent(values.avg60));
    out.member("avg300", percent(values.avg300));
    out.number("total", values.total);
    return out.json();
  };
  Object psi;
  psi.member("some", line(pressure->some));
  psi.member("full", line(pressure->full));
  to.member("psi", psi.json());
}

std::string cpu_json(const cgroup::CpuStats& cpu) {
  Object usage;
  usage.count("total", cpu.total);
  usage.list("percpu", cpu.percpu, number_text);
  usage.list("percpu_kernel", cpu.percpu_kernel, number_text);
  usage.list("percpu_user", cpu.percpu_user, number_text);
  usage.number("kernel", cpu.kernel);
  usage.number("user", cpu.user);
  Object throttling;
  throttling.count("periods", cpu.periods);
  throttling.count("throttledPeriods", cpu.throttled_periods);
  throttling.count("throttledTime", cpu.throttled_time);
  Object out;
  out.member("usage", usage.json());
  out.member("throttling", throttling.json());
  add_pressure(out, cpu.psi);
  return out.json();
}

void add_numbers(Object& to, std::string_view name, std::string_view list) {
  Result<NumberSet> set = parse_number_list(list);
  if (!set) return;
  std::vector<unsigned> numbers;
  for (unsigned number = 0; number < set->bytes() * 8; ++number) {
    if (set->contains(number)) numbers.push_back(number);
  }
  to.list(name, numbers, [](unsigned number) { return cat(number); });
}

std::string cpuset_json(const cgroup::Stats& stats) {
  const cgroup::CpusetSettings& settings = stats.cpuset;
  Object out;
  add_numbers(out, "cpus", stats.cpuset_cpus);
  out.number("cpu_exclusive", settings.cpu_exclusive);
  add_numbers(out, "mems", stats.cpuset_mems);
  out.number("mem_hardwall", settings.mem_hardwall);
  out.number("mem_exclusive", settings.mem_exclusive);
  out.number("memory_migrate", settings.memory_migrate);
  out.number("memory_spread_page", settings.memory_spread_page);
  out.number("memory_spread_slab", settings.memory_spread_slab);
  out.number("memory_pressure", settings.memory_pressure);
  out.number("sched_load_balance", settings.sched_load_balance);
  out.member("sched_relax_domain_level", cat(settings.sched_relax_domain_level));
  return out.json();
}

std::string memory_json(const cgroup::MemoryStats& memory) {
  auto use = [](const cgroup::MemoryUse& values) {
    Object out;
    out.number("limit", values.limit);
    out.count("usage", values.usage);
    out.count("max", values.max);
    out.number("failcnt", values.failcnt);
    return out.json();
  };
  Object out;
  out.count("cache", memory.cache);
  out.member("usage", use(memory.usage));
  out.member("swap", use(memory.swap));
  out.member("kernel", use(memory.kernel));
  out.member("kernelTCP", use(memory.kernel_tcp));
  Object raw;
  for (const auto& [name, value] : memory.raw) raw.number(name, value);
  if (!memory.raw.empty()) out.member("raw", raw.json());
  add_pressure(out, memory.psi);
  return out.json();
}

std::string block_io_json(const cgroup::BlockIoStats& stats) {
  Object out;
  auto add = [&](std::string_view name, const std::vector<cgroup::BlockIoEntry>& entries) {
    out.list(name, entries, [](const cgroup::BlockIoEntry& entry) {
      Object row;
      row.count("major", entry.major);
      row.count("minor", entry.minor);
      row.text("op", entry.op);
      row.count("value", entry.value);
      return row.json();
    });
  };
  add("ioServiceBytesRecursive", stats.service_bytes);
  add("ioServicedRecursive", stats.serviced);
  add("ioQueueRecursive", stats.queued);
  add("ioServiceTimeRecursive", stats.service_time);
  add("ioWaitTimeRecursive", stats.wait_time);
  add("ioMergedRecursive", stats.merged);
  add("ioTimeRecursive", stats.time);
  add("sectorsRecursive", stats.sectors);
  add_pressure(out, stats.psi);
  return out.json();
}

std::string hugetlb_json(const std::vector<cgroup::HugetlbStats>& sizes) {
  Object out;
  for (const cgroup::HugetlbStats& size : sizes) {
    Object row;
    row.count("usage", size.usage);
    row.count("max", size.max);
    row.number("failcnt", size.failcnt);
    out.member(size.page_size, row.json());
  }
  return out.json();
}

}  // namespace

std::string stats_line(std::string_view id, const cgroup::Stats& stats) {
  Object pids;
  pids.count("current", stats.pids.current);
  pids.count("limit", stats.pids.limit);
  Object data;
  data.member("cpu", cpu_json(stats.cpu));
  data.member("cpuset", cpuset_json(stats));
  data.member("memory", memory_json(stats.memory));
  data.member("pids", pids.json());
  data.member("blkio", block_io_json(stats.block_io));
  data.member("hugetlb", hugetlb_json(stats.hugetlb));
  data.member("intel_rdt", "{}");
  // runc knows interfaces of containers only where it has made them itself, which it never does for
  // a bundle: it prints this too.
  data.member("network_interfaces", "null");
  Object line;
  line.text("type", "stats");
  line.text("id", id);
  line.member("data", data.json());
  return line.json() + "\n";
}

std::string oom_line(std::string_view id) {
  Object line;
  line.text("type", "oom");
  line.text("id", id);
  return line.json() + "\n";
}

}  // namespace ocirt::container
