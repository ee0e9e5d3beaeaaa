#include "src/cli/limits.h"

#include <algorithm>
#include <limits>

#include "src/base/text.h"

namespace ocirt::cli {
namespace {

std::optional<unsigned> shift_of(std::string_view unit) {
  if (unit.empty() || unit == "b" || unit == "B") return 0;
  constexpr std::string_view kSmall = "kmgtp";
  constexpr std::string_view kLarge = "KMGTP";
  size_t power = kSmall.find(unit[0]);
  if (power == std::string_view::npos) power = kLarge.find(unit[0]);
  if (power == std::string_view::npos) return std::nullopt;
  std::string_view rest = unit.substr(1);
  if (rest.starts_with('i') || rest.starts_with('I')) {
    rest.remove_prefix(1);
    if (rest.empty()) return std::nullopt;
  }
  if (!rest.empty() && rest != "b" && rest != "B") return std::nullopt;
  return static_cast<unsigned>(power + 1) * 10;
}

// "1.5g": what comes after the point, as bytes of that unit, rounded down.
std::optional<int64_t> fraction_of(std::string_view digits, unsigned shift) {
  constexpr size_t kEnough = 9;  // of its digits: less than a byte of a gigabyte
  digits = digits.substr(0, std::min(digits.size(), kEnough));
  const std::optional<uint32_t> number = to_number<uint32_t>(digits);
  if (!number) return std::nullopt;
  unsigned __int128 bytes = static_cast<unsigned __int128>(*number) << shift;
  for (size_t i = 0; i < digits.size(); ++i) bytes /= 10;
  return static_cast<int64_t>(bytes);
}

}  // namespace

Result<int64_t> parse_size(std::string_view text) {
  const auto wrong = [] {
    return refuse("expected bytes, also as 512k, 512m, 1.5g, or -1 for unlimited");
  };
  if (text == "-1") return -1;
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::optional<int64_t> number = to_number<int64_t>(text.substr(0, digits));
  std::string_view unit = text.substr(digits);
  std::string_view fraction;
  if (unit.starts_with('.')) {
    const size_t end = std::min(unit.find_first_not_of("0123456789", 1), unit.size());
    fraction = unit.substr(1, end - 1);
    unit.remove_prefix(end);
    if (fraction.empty()) return wrong();
  }
  const std::optional<unsigned> shift = shift_of(unit);
  if (!number || !shift || *number >= std::numeric_limits<int64_t>::max() >> *shift) {
    // The largest number has no room for a fraction.
    const bool fits = number && shift && fraction.empty() &&
                      *number == std::numeric_limits<int64_t>::max() >> *shift;
    if (!fits) return wrong();
  }
  const std::optional<int64_t> more =
      fraction.empty() ? std::optional<int64_t>(0) : fraction_of(fraction, *shift);
  if (!more) return wrong();
  return (*number << *shift) + *more;
}

oci::Resources resources_of(const Limits& limits) {
  oci::Resources resources;
  oci::Memory memory;
  memory.limit = limits.memory;
  memory.reservation = limits.memory_reservation;
  memory.swap = limits.memory_swap;
  memory.kernel = limits.kernel_memory;
  memory.kernel_tcp = limits.kernel_memory_tcp;
  if (memory != oci::Memory{}) resources.memory = memory;

  oci::Cpu cpu;
  cpu.shares = limits.cpu_shares;
  cpu.quota = limits.cpu_quota;
  cpu.burst = limits.cpu_burst;
  cpu.period = limits.cpu_period;
  cpu.realtime_runtime = limits.cpu_realtime_runtime;
  cpu.realtime_period = limits.cpu_realtime_period;
  cpu.cpus = limits.cpuset_cpus;
  cpu.mems = limits.cpuset_mems;
  cpu.idle = limits.cpu_idle;
  if (cpu != oci::Cpu{}) resources.cpu = cpu;

  if (limits.pids) resources.pids = oci::Pids{*limits.pids};
  if (limits.block_io_weight) resources.block_io.emplace().weight = limits.block_io_weight;
  return resources;
}

}  // namespace ocirt::cli
