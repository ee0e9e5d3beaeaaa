// What a container has used, out of the shim's answer: containerd's Metrics, whose form depends on
// the version of the cgroups.
#pragma once

#include <cstdint>
#include <string>

#include "src/base/result.h"
#include "src/wire/messages.h"

namespace ocirt::podcli {

struct Metrics {
  uint64_t cpu = 0, cpu_user = 0, cpu_system = 0;  // nanoseconds
  uint64_t throttled = 0;                          // nanoseconds
  uint64_t memory = 0;                             // bytes
  uint64_t working_set = 0;   // memory without the files that could be dropped at once
  uint64_t memory_limit = 0;  // 0: none
  uint64_t oom_kills = 0;
  uint64_t pids = 0, pids_limit = 0;         // 0: none
  uint64_t read_bytes = 0, write_bytes = 0;  // of block devices

  bool operator==(const Metrics&) const = default;
};

Result<Metrics> read_metrics(const wire::Any& any);

// {"cpu": {...}, "memory": {...}, "pids": {...}, "io": {...}}: the same for both versions.
std::string metrics_json(const Metrics& metrics);

}  // namespace ocirt::podcli
