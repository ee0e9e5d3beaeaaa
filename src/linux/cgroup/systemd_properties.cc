// From what ocirt would write into control files to properties of a unit
// (systemd.resource-control(5) and org.freedesktop.systemd1(5)). One table does it for
// linux.resources and `unified` alike. Files that are not in it have no property and are written by
// apply() alone, as all the others are once more: systemd rounds some values.
#include <cstdint>
#include <limits>

#include "src/base/text.h"
#include "src/linux/cgroup/device_rules.h"
#include "src/linux/cgroup/hierarchies.h"
#include "src/linux/cgroup/settings.h"
#include "src/linux/cgroup/systemd.h"
#include "src/linux/cpu_list.h"
#include "src/sys/control_file.h"
#include "src/sys/file.h"

namespace ocirt::cgroup {
namespace {

constexpr uint64_t kInfinity = std::numeric_limits<uint64_t>::max();

enum class Kind : uint8_t { number, weight_of_device, rate_of_device, set };

struct Row {
  std::string_view file;
  std::string_view property;
  Kind kind = Kind::number;
};

constexpr Row kRows[] = {
    {"memory.max", "MemoryMax"},
    {"memory.high", "MemoryHigh"},
    {"memory.low", "MemoryLow"},
    {"memory.min", "MemoryMin"},
    {"memory.swap.max", "MemorySwapMax"},
    {"cpu.weight", "CPUWeight"},
    {"pids.max", "TasksMax"},
    {"cpuset.cpus", "AllowedCPUs", Kind::set},
    {"cpuset.mems", "AllowedMemoryNodes", Kind::set},
    // v1
    {"memory.limit_in_bytes", "MemoryLimit"},
    {"cpu.shares", "CPUShares"},
    {"blkio.weight", "BlockIOWeight"},
    {"blkio.weight_device", "BlockIODeviceWeight", Kind::weight_of_device},
    {"blkio.throttle.read_bps_device", "BlockIOReadBandwidth", Kind::rate_of_device},
    {"blkio.throttle.write_bps_device", "BlockIOWriteBandwidth", Kind::rate_of_device},
};

constexpr Row kIoMax[] = {{"rbps", "IOReadBandwidthMax"},
                          {"wbps", "IOWriteBandwidthMax"},
                          {"riops", "IOReadIOPSMax"},
                          {"wiops", "IOWriteIOPSMax"}};

// "max" and v1's -1 are "no limit". Nothing for what systemd could not take ("50%", "1G").
std::optional<uint64_t> number_of(std::string_view text) {
  if (text == "max" || text == "-1") return kInfinity;
  return to_number<uint64_t>(text);
}

Property number(std::string_view name, uint64_t value) {
  return {std::string(name), "t", {cat(value)}};
}

void add_device_number(std::string_view property, std::string_view device, uint64_t value,
                       std::vector<Property>& out) {
  out.push_back({std::string(property), "a(st)", {"1", cat("/dev/block/", device), cat(value)}});
}

// A set of numbers as systemd takes it: bytes, the lowest numbers first.
Result<std::vector<std::string>> bytes_of(std::string_view list) {
  NumberSet set = TRY(parse_number_list(list));
  std::vector<uint8_t> bytes;
  for (unsigned i = 0; i < set.words.size() * 8 * sizeof(unsigned long); ++i) {
    if (!set.contains(i)) continue;
    bytes.resize(i / 8 + 1);
    bytes[i / 8] |= static_cast<uint8_t>(1U << i % 8);
  }
  std::vector<std::string> values = {cat(bytes.size())};
  for (uint8_t byte : bytes) values.push_back(cat(static_cast<unsigned>(byte)));
  return values;
}

// Quota and period in microseconds; systemd wants microseconds of each second, and rounds them down
// to whole percents: up, so that the container does not get less than it was promised.
void add_quota(std::optional<uint64_t> quota, std::optional<uint64_t> period,
               std::vector<Property>& out) {
  constexpr uint64_t kSecond = 1'000'000, kPercent = 10'000, kUsualPeriod = 100'000;
  if (quota) {
    uint64_t per_second = kInfinity;
    const uint64_t length = period.value_or(kUsualPeriod);
    if (*quota != kInfinity && length != 0 && *quota <= kInfinity / kSecond) {
      per_second = (*quota * kSecond / length + kPercent - 1) / kPercent * kPercent;
    }
    out.push_back(number("CPUQuotaPerSecUSec", per_second));
  }
  if (period) out.push_back(number("CPUQuotaPeriodUSec", *period));
}

Result<> add_setting(const Setting& setting, std::vector<Property>& out) {
  const std::vector<std::string_view> fields = words(setting.value);
  if (fields.empty()) return {};
  if (setting.file == "cpu.max") {
    add_quota(number_of(fields[0]),
              fields.size() > 1 ? to_number<uint64_t>(fields[1]) : std::nullopt, out);
    return {};
  }
  if (setting.file == "io.max") {
    for (size_t i = 1; i < fields.size(); ++i) {
      const size_t sign = fields[i].find('=');
      if (sign == std::string_view::npos) continue;
      const std::optional<uint64_t> value = number_of(fields[i].substr(sign + 1));
      for (const Row& row : kIoMax) {
        if (value && row.file == fields[i].substr(0, sign))
          add_device_number(row.property, fields[0], *value, out);
      }
    }
    return {};
  }
  if (setting.file == "io.bfq.weight" || setting.file == "io.weight") {
    // systemd counts as io.weight does and converts for BFQ by itself.
    const bool bfq = setting.file == "io.bfq.weight";
    if (bfq && setting.other_value.empty()) return {};
    const std::vector<std::string_view> weight = words(bfq ? setting.other_value : setting.value);
    const std::optional<uint64_t> value = to_number<uint64_t>(weight.back());
    if (value && weight.size() == 1) out.push_back(number("IOWeight", *value));
    if (value && weight.size() == 2 && weight[0].contains(':'))
      add_device_number("IODeviceWeight", weight[0], *value, out);
    return {};
  }
  for (const Row& row : kRows) {
    if (row.file != setting.file) continue;
    const std::optional<uint64_t> value = number_of(fields.back());
    if (row.kind == Kind::set) {
      std::vector<std::string> bytes =
          TRY(within(cat("linux.resources.", setting.property), bytes_of(setting.value)));
      out.push_back({std::string(row.property), "ay", std::move(bytes)});
    } else if (value && row.kind == Kind::number) {
      // systemd refuses a limit of no tasks at all, which the container could not be started with.
      const bool none = row.property == "TasksMax" && *value == 0;
      out.push_back(number(row.property, none ? 1 : *value));
    } else if (value && fields.size() == 2) {
      add_device_number(row.property, fields[0], *value, out);
    }
  }
  return {};
}

// The driver of a major number in /proc/devices; `type` is 'c' or 'b'.
std::string_view driver_of(std::string_view text, char type, int64_t major) {
  bool here = false;
  while (std::optional<std::string_view> line = next_line(text)) {
    if (line->starts_with("Character")) here = type == 'c';
    if (line->starts_with("Block")) here = type == 'b';
    const std::vector<std::string_view> fields = words(*line);
    if (here && fields.size() == 2 && to_number<int64_t>(fields[0]) == major) return fields[1];
  }
  return {};
}

// "c 136:* rwm", a line of the v1 controller, as a pair for DeviceAllow. Empty: no words for it.
std::pair<std::string, std::string> allowed_device(std::string_view line,
                                                   std::string_view proc_devices) {
  const std::vector<std::string_view> fields = words(line);
  if (fields.size() != 3) return {};
  const std::string_view kind = fields[0] == "b" ? "block" : "char";
  const size_t colon = fields[1].find(':');
  const std::string_view major = fields[1].substr(0, colon), minor = fields[1].substr(colon + 1);
  std::string access(fields[2]);
  if (major == "*" && minor == "*") return {cat(kind, "-*"), access};
  if (major == "*") return {};
  if (minor != "*") return {cat("/dev/", kind, '/', major, ':', minor), access};
  const std::string_view driver =
      driver_of(proc_devices, fields[0][0], to_number<int64_t>(major).value_or(-1));
  if (driver.empty()) return {};
  return {cat(kind, '-', driver), access};
}

}  // namespace

std::string to_fields(const std::vector<Property>& properties) {
  std::string text;
  for (const Property& property : properties) {
    text += cat(property.name, '\0', property.signature, '\0');
    for (const std::string& value : property.values) text += cat(value, '\0');
  }
  return text;
}

std::vector<Property> unit_properties(const Unit& unit, Layout layout,
                                      std::string_view description) {
  std::vector<Property> out = {{"Description", "s", {std::string(description)}}};
  if (unit.is_slice()) {
    out.push_back({"Wants", "as", {"1", unit.slice}});
  } else {
    out.push_back({"Slice", "s", {unit.slice}});
    out.push_back({"Delegate", "b", {"true"}});
  }
  out.push_back({"DefaultDependencies", "b", {"false"}});
  // What failed (systemd calls it so when the kernel killed one for its memory) goes by itself too.
  out.push_back({"CollectMode", "s", {"inactive-or-failed"}});
  const char* block = layout == Layout::unified ? "IOAccounting" : "BlockIOAccounting";
  for (const char* name : {"MemoryAccounting", "CPUAccounting", "TasksAccounting", block}) {
    out.push_back({name, "b", {"true"}});
  }
  return out;
}

Result<std::vector<Property>> limit_properties(Layout layout, const oci::Resources& resources,
                                               const Location& now) {
  std::vector<Setting> settings;
  if (layout == Layout::unified) {
    Present present{.memory_max = "max", .memory_current = std::nullopt, .cpu_max = "max 100000"};
    auto read = [&](const char* file) -> std::optional<std::string> {
      Result<std::string> text =
          sys::read_control(sys::kCwd, join(now.directories.front().path, file));
      return text ? std::optional(std::move(*text)) : std::nullopt;
    };
    if (!now.directories.empty()) {
      if (needs_memory_max(resources)) present.memory_max = read("memory.max");
      if (needs_memory_current(resources)) present.memory_current = read("memory.current");
      if (needs_cpu_max(resources)) present.cpu_max = read("cpu.max");
    }
    settings = TRY(v2_settings(resources, present));
  } else {
    oci::Resources v1 = resources;
    v1.unified = {};  // apply() finds out whether the tree beside has what it asks for
    settings = TRY(v1_settings(v1));
  }
  std::vector<Property> out;
  std::optional<uint64_t> quota, period;
  for (const Setting& setting : settings) {
    // v1 has two files for what is one value.
    if (setting.file == "cpu.cfs_quota_us") quota = number_of(setting.value);
    if (setting.file == "cpu.cfs_period_us") period = to_number<uint64_t>(setting.value);
    // v1's cpusets are not systemd's business.
    if (layout != Layout::unified && setting.controller == "cpuset") continue;
    TRY(add_setting(setting, out));
  }
  add_quota(quota, period, out);
  return out;
}

Result<std::vector<Property>> device_properties(const std::vector<oci::DeviceCgroup>& devices,
                                                std::string_view proc_devices) {
  const std::vector<DeviceRule> rules = TRY(device_rules(devices));
  std::vector<Property> everything = {{"DevicePolicy", "s", {"auto"}},
                                      {"DeviceAllow", "a(ss)", {"0"}}};
  Result<std::vector<DeviceLine>> lines = v1_device_lines(rules);
  if (!lines || lines->empty() || lines->front().allow) return everything;
  std::vector<std::string> values;
  size_t count = 0;
  for (size_t i = 1; i < lines->size(); ++i) {
    auto [path, access] = allowed_device((*lines)[i].text, proc_devices);
    if (path.empty()) return everything;
    values.push_back(std::move(path));
    values.push_back(std::move(access));
    ++count;
  }
  values.insert(values.begin(), cat(count));
  return std::vector<Property>{{"DevicePolicy", "s", {"strict"}},
                               {"DeviceAllow", "a(ss)", {"0"}},
                               {"DeviceAllow", "a(ss)", std::move(values)}};
}

}  // namespace ocirt::cgroup
