// The limits that `update` takes as options, and how they become the document that `update
// --resources` reads. An absent one leaves the kernel's value alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "oci-spec/resources.h"
#include "src/base/result.h"

namespace ocirt::cli {

struct Limits {
  std::optional<uint16_t> block_io_weight;
  std::optional<uint64_t> cpu_period, cpu_burst, cpu_shares, cpu_realtime_period;
  std::optional<int64_t> cpu_quota, cpu_realtime_runtime, cpu_idle;
  std::optional<std::string> cpuset_cpus, cpuset_mems;
  std::optional<int64_t> memory, memory_reservation, memory_swap;  // bytes, -1 is unlimited
  std::optional<int64_t> kernel_memory, kernel_memory_tcp;
  std::optional<int64_t> pids;

  bool operator==(const Limits&) const = default;
};

// "1048576", "512m", "1.5GiB", "-1": bytes with a unit of 1024s (k, m, g, t, p, each also with b or
// ib, in any case). -1 is unlimited; other negative numbers and what does not fit are errors.
Result<int64_t> parse_size(std::string_view text);

oci::Resources resources_of(const Limits& limits);

}  // namespace ocirt::cli
