#include "src/container/events.h"

#include <algorithm>
#include <cerrno>
#include <climits>

#include "src/base/text.h"
#include "src/container/stats_document.h"
#include "src/container/status.h"
#include "src/linux/cgroup/oom.h"
#include "src/linux/cgroup/stats.h"
#include "src/sys/clock.h"
#include "src/sys/control_file.h"

namespace ocirt::container {
namespace {

struct Running {
  Record record;
  UniqueFd init;
};

Result<Running> find_running(const Store& store, const std::string& id) {
  Directory directory = TRY(store.find(id, Store::Lock::none));
  Running found;
  found.record = TRY(directory.read());
  if (found.record.pid == 0) return refuse(cat("container ", id, " is still being created"));
  found.init = TRY(open_init(found.record));
  if (!found.init.valid()) return std::unexpected(Error{ESRCH, "container not running"});
  return found;
}

}  // namespace

Result<std::string> stats(const Store& store, const std::string& id) {
  Running container = TRY(find_running(store, id));
  cgroup::Stats used = TRY(cgroup::read_stats(container.record.cgroup));
  return stats_line(id, used);
}

Result<> events(const Store& store, const std::string& id, int64_t interval_ms, LineSink sink) {
  Running container = TRY(find_running(store, id));
  cgroup::OomWatch watch = TRY(cgroup::OomWatch::open(container.record.cgroup, container.init));
  for (int64_t next = sys::monotonic_ms() + interval_ms;;) {
    const int64_t left = std::clamp<int64_t>(next - sys::monotonic_ms(), 0, INT_MAX);
    const cgroup::OomWatch::Change change = TRY(watch.wait(static_cast<int>(left)));
    for (uint64_t i = 0; i < change.kills; ++i) TRY(sink(oom_line(id)));
    if (change.ended) return {};
    const int64_t now = sys::monotonic_ms();
    if (now < next) continue;
    Result<cgroup::Stats> read = cgroup::read_stats(container.record.cgroup);
    if (!read && read.error().code == ENOENT) return {};
    cgroup::Stats used = TRY(std::move(read));
    TRY(sink(stats_line(id, used)));
    next = std::max(next + interval_ms, now);
  }
}

}  // namespace ocirt::container
