#include "src/linux/cgroup/processes.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <span>

#include "src/base/text.h"
#include "src/linux/cgroup/cgroup.h"
#include "src/linux/cgroup/freezer.h"
#include "src/linux/cgroup/hierarchies.h"
#include "src/sys/clock.h"
#include "src/sys/control_file.h"
#include "src/sys/file.h"
#include "src/sys/process.h"

namespace ocirt::cgroup {
namespace {

// Descriptors that are open at a time; far below any limit of open files.
constexpr size_t kBatch = 256;
constexpr size_t kMostInProcs = 64 << 20;

Result<> collect(const std::string& directory, std::vector<pid_t>& out) {
  Result<std::string> text =
      sys::read_file(sys::kCwd, join(directory, "cgroup.procs"), kMostInProcs);
  if (!text) {
    const int code = text.error().code;
    // Gone (ENODEV: while it was read), so that there is nothing below it either.
    if (code == ENOENT || code == ENODEV) return {};
    // A threaded cgroup of v2 lists its processes in the domain above it only.
    if (code != EOPNOTSUPP) return std::unexpected(std::move(text).error());
  } else {
    std::string_view rest = *text;
    while (std::optional<std::string_view> line = next_line(rest)) {
      // 0: a process that this pid namespace cannot see.
      if (auto pid = to_number<pid_t>(*line); pid && *pid > 0) out.push_back(*pid);
    }
  }
  Result<std::vector<std::string>> below = sys::list_subdirectories(sys::kCwd, directory);
  if (!below) {
    if (below.error().code == ENOENT || below.error().code == ENODEV) return {};
    return std::unexpected(std::move(below).error());
  }
  for (const std::string& name : *below) TRY(collect(join(directory, name), out));
  return {};
}

// The directory that tells about processes: that of the cgroup2 tree, whose processes cannot be in
// one controller's cgroup and not in another's, or else any.
const Directory* main_directory(const Location& location) {
  if (const Directory* v2 = v2_directory(location)) return v2;
  return location.directories.empty() ? nullptr : &location.directories.front();
}

// cgroup.kill (Linux 5.14): every process below at once, also those that are being forked. False
// when the kernel has no such file.
Result<bool> kill_at_once(const std::string& directory) {
  Result<> done = sys::write_control(sys::kCwd, join(directory, "cgroup.kill"), "1");
  if (done) return true;
  const int code = done.error().code;
  // ENOENT: an old kernel, or no such cgroup, of which the slow way makes nothing. EOPNOTSUPP: a
  // threaded cgroup.
  if (code == ENOENT || code == ENODEV || code == EOPNOTSUPP) return false;
  return std::unexpected(std::move(done).error());
}

// Those of the container who are in a cgroup of somebody else's in the hierarchy of the freezer,
// and stand still there. Who is frozen cannot end and keeps its pid: one that is listed after it
// was seen so is still the one that was listed before.
Result<> bring_back_others(const Location& location, const Directory& v1_freezer) {
  const std::vector<pid_t> here = TRY(processes_below(v1_freezer.path));
  std::vector<pid_t> frozen;
  for (const pid_t pid : TRY(processes(location))) {
    if (std::ranges::binary_search(here, pid)) continue;
    Result<std::optional<sys::ProcessStat>> stat = sys::process_stat(pid);
    if (stat && *stat && (*stat)->state == 'D') frozen.push_back(pid);
  }
  if (frozen.empty()) return {};
  const std::vector<pid_t> still = TRY(processes(location));
  for (const pid_t pid : frozen) {
    if (!std::ranges::binary_search(still, pid)) continue;
    Result<bool> done = bring_back(location, pid);
    // It was not frozen but waited for something, and has ended.
    if (!done && done.error().code != ESRCH) return std::unexpected(std::move(done).error());
  }
  return {};
}

// What the freezer of v1 keeps from dying of the SIGKILL that it has got.
Result<> let_die(const Location& location, const Directory& v1_freezer) {
  TRY(thaw_v1_below(v1_freezer.path));
  TRY(bring_back_others(location, v1_freezer));
  return lift_out(location);
}

}  // namespace

Result<std::vector<pid_t>> processes_below(const std::string& directory) {
  std::vector<pid_t> pids;
  TRY(collect(directory, pids));
  std::ranges::sort(pids);
  const auto doubles = std::ranges::unique(pids);
  pids.erase(doubles.begin(), doubles.end());
  return pids;
}

Result<> signal_below(const std::string& directory, int signal) {
  std::vector<pid_t> pids = TRY(processes_below(directory));
  for (std::span<const pid_t> rest(pids); !rest.empty();) {
    const std::span<const pid_t> batch = rest.first(std::min(kBatch, rest.size()));
    rest = rest.subspan(batch.size());
    std::vector<std::pair<pid_t, UniqueFd>> targets;
    for (pid_t pid : batch) {
      Result<UniqueFd> fd = sys::pidfd_open(pid);
      // ESRCH: ended. EINVAL: a thread that has become the last of its process; it ends as well.
      if (fd) targets.emplace_back(pid, std::move(*fd));
    }
    std::vector<pid_t> still = TRY(processes_below(directory));
    for (const auto& [pid, fd] : targets) {
      if (!std::ranges::binary_search(still, pid)) continue;
      Result<> done = sys::send_signal(fd, signal);
      if (!done && done.error().code != ESRCH) {
        return within(cat("process ", pid, " of ", directory), std::move(done));
      }
    }
  }
  return {};
}

Result<bool> wait_for_processes(const std::string& directory, int64_t deadline) {
  for (pid_t pid : TRY(processes_below(directory))) {
    Result<UniqueFd> fd = sys::pidfd_open(pid);
    if (!fd) continue;  // ended
    const int64_t left = std::max<int64_t>(0, deadline - sys::monotonic_ms());
    if (!TRY(sys::wait_until_ended(*fd, static_cast<int>(left)))) return false;
  }
  return true;
}

Result<std::vector<pid_t>> processes(const Location& location) {
  const Directory* directory = main_directory(location);
  if (directory == nullptr) return std::vector<pid_t>();
  return processes_below(directory->path);
}

Result<> signal_all(const Location& location, int signal) {
  const Directory* directory = main_directory(location);
  if (directory == nullptr) {
    return std::unexpected(Error{ENOTSUP, "not supported: the container has no cgroup of its own"});
  }
  constexpr int kFreezeTimeoutMs = 2000;
  const Directory* v1_freezer = v1_directory(location, "freezer");
  if (signal == SIGKILL && directory->controllers.empty() && TRY(kill_at_once(directory->path))) {
    return v1_freezer != nullptr ? let_die(location, *v1_freezer) : Result<>();
  }
  const bool was_frozen = TRY(is_frozen(location));
  // Best effort: without a freezer the processes are signalled as they are.
  if (!was_frozen) (void)freeze_within(location, kFreezeTimeoutMs);
  Result<> done = signal_below(directory->path, signal);
  if (signal == SIGKILL && v1_freezer != nullptr) {
    TRY(let_die(location, *v1_freezer));
  } else if (!was_frozen || signal == SIGKILL) {
    Result<> thawed = thaw_within(location, kFreezeTimeoutMs);
    const bool matters = !thawed && thawed.error().code != ENOTSUP && thawed.error().code != ENOENT;
    if (done && matters) return thawed;
  }
  return done;
}

}  // namespace ocirt::cgroup
