#include "src/podcli/metrics.h"

#include <string_view>

#include "src/base/text.h"
#include "src/wire/any.h"

namespace ocirt::podcli {
namespace {

// Both versions say "none" by a number that no machine has.
uint64_t limit(uint64_t bytes) { return bytes >= uint64_t{1} << 60 ? 0 : bytes; }

uint64_t less(uint64_t all, uint64_t part) { return part < all ? all - part : 0; }

Metrics from_v1(const wire::v1::Metrics& from) {
  Metrics to;
  if (from.cpu != nullptr && from.cpu->usage != nullptr) {
    to.cpu = from.cpu->usage->total;
    to.cpu_user = from.cpu->usage->user;
    to.cpu_system = from.cpu->usage->kernel;
  }
  if (from.cpu != nullptr && from.cpu->throttling != nullptr)
    to.throttled = from.cpu->throttling->throttled_time;
  if (from.memory != nullptr && from.memory->usage != nullptr) {
    to.memory = from.memory->usage->usage;
    to.working_set = less(to.memory, from.memory->total_inactive_file);
    to.memory_limit = limit(from.memory->usage->limit);
  }
  if (from.memory_oom_control != nullptr) to.oom_kills = from.memory_oom_control->oom_kill;
  if (from.pids != nullptr) {
    to.pids = from.pids->current;
    to.pids_limit = from.pids->limit;
  }
  for (size_t i = 0; from.blkio != nullptr && i < from.blkio->n_io_service_bytes_recursive; ++i) {
    const wire::v1::BlkIOEntry& row = *from.blkio->io_service_bytes_recursive[i];
    if (std::string_view(row.op) == "Read") to.read_bytes += row.value;
    if (std::string_view(row.op) == "Write") to.write_bytes += row.value;
  }
  return to;
}

Metrics from_v2(const wire::v2::Metrics& from) {
  Metrics to;
  if (from.cpu != nullptr) {
    to.cpu = from.cpu->usage_usec * 1000;
    to.cpu_user = from.cpu->user_usec * 1000;
    to.cpu_system = from.cpu->system_usec * 1000;
    to.throttled = from.cpu->throttled_usec * 1000;
  }
  if (from.memory != nullptr) {
    to.memory = from.memory->usage;
    to.working_set = less(to.memory, from.memory->inactive_file);
    to.memory_limit = limit(from.memory->usage_limit);
  }
  if (from.memory_events != nullptr) to.oom_kills = from.memory_events->oom_kill;
  if (from.pids != nullptr) {
    to.pids = from.pids->current;
    to.pids_limit = limit(from.pids->limit);
  }
  for (size_t i = 0; from.io != nullptr && i < from.io->n_usage; ++i) {
    to.read_bytes += from.io->usage[i]->rbytes;
    to.write_bytes += from.io->usage[i]->wbytes;
  }
  return to;
}

}  // namespace

Result<Metrics> read_metrics(const wire::Any& any) {
  if (wire::is_a(&any, wire::kTypeUrl<wire::v2::Metrics>)) {
    auto metrics = TRY(wire::parse_any<wire::v2::Metrics>(&any));
    return from_v2(*metrics);
  }
  auto metrics = TRY(wire::parse_any<wire::v1::Metrics>(&any));
  return from_v1(*metrics);
}

std::string metrics_json(const Metrics& metrics) {
  return cat("{\"cpu\":{\"usage\":", metrics.cpu, ",\"user\":", metrics.cpu_user,
             ",\"system\":", metrics.cpu_system, ",\"throttled\":", metrics.throttled,
             "},\"memory\":{\"usage\":", metrics.memory, ",\"workingSet\":", metrics.working_set,
             ",\"limit\":", metrics.memory_limit, ",\"oomKills\":", metrics.oom_kills,
             "},\"pids\":{\"current\":", metrics.pids, ",\"limit\":", metrics.pids_limit,
             "},\"io\":{\"readBytes\":", metrics.read_bytes,
             ",\"writeBytes\":", metrics.write_bytes, "}}");
}

}  // namespace ocirt::podcli
