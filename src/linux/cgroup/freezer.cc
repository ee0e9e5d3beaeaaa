// Freezing and thawing: the freezer controller of v1 where it is mounted, because that is where
// other tools look (CRIU is given that directory), else cgroup.freeze of v2 (Linux 5.2).
#include "src/linux/cgroup/freezer.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "src/base/text.h"
#include "src/linux/cgroup/cgroup.h"
#include "src/linux/cgroup/hierarchies.h"
#include "src/sys/clock.h"
#include "src/sys/control_file.h"
#include "src/sys/file.h"

namespace ocirt::cgroup {
namespace {

constexpr int kTimeoutMs = 10'000;

struct Freezer {
  std::string directory;
  bool v2 = false;
};

Result<Freezer> find_freezer(const Location& location) {
  if (const Directory* v1 = v1_directory(location, "freezer")) return Freezer{v1->path, false};
  if (const Directory* v2 = v2_directory(location)) return Freezer{v2->path, true};
  return std::unexpected(Error{
      ENOTSUP, location.directories.empty()
                   ? "not supported: the container has no cgroup of its own, which freezing needs"
                   : "not supported: this host has neither the freezer hierarchy nor cgroup v2"});
}

// Opening a control file of the freezer failed: no such cgroup, or a kernel without it.
Error no_file(Error error, const Freezer& freezer, const std::string& path) {
  if (error.code != ENOENT) return error;
  if (!sys::exists(sys::kCwd, freezer.directory)) {
    return {ENOENT, cat("the cgroup ", freezer.directory, " is gone")};
  }
  return {ENOTSUP, cat("not supported: this kernel has no ", path)};
}

// What is thawed and stands still may do so because of one above.
Result<> blame_above(const Freezer& freezer, const Location& location) {
  const std::string above = frozen_at_or_above(location);
  if (above.empty() || above == freezer.directory) return {};
  return refuse(
      cat("thaw ", freezer.directory, ": it still stands still, since ", above, " is frozen"));
}

Result<> write_v2(const Freezer& freezer, const Location& location, bool frozen, int timeout_ms) {
  const std::string path = join(freezer.directory, "cgroup.freeze");
  Result<> done = sys::write_control(sys::kCwd, path, frozen ? "1" : "0");
  if (!done) return std::unexpected(no_file(std::move(done).error(), freezer, path));
  const std::string events = join(freezer.directory, "cgroup.events");
  UniqueFd fd = TRY(sys::open(sys::kCwd, events, O_RDONLY));
  const int64_t deadline = sys::monotonic_ms() + timeout_ms;
  for (;;) {
    std::string text = TRY(sys::reread_control(fd, events));
    if (value_of(text, "frozen") == (frozen ? "1" : "0")) return {};
    if (!frozen) TRY(blame_above(freezer, location));
    const int64_t left = deadline - sys::monotonic_ms();
    if (left <= 0 || !TRY(sys::wait_for_change(fd, static_cast<int>(left)))) break;
  }
  if (!frozen) {
    return refuse(cat("thaw ", freezer.directory, ": still frozen after ", timeout_ms, " ms"));
  }
  (void)sys::write_control(sys::kCwd, path, "0");
  return refuse(cat("freeze ", freezer.directory, ": not all processes stopped within ", timeout_ms,
                    " ms; it was thawed again"));
}

// The kernel does not report a change of freezer.state, and asks to write FROZEN anew while
// processes keep appearing. Most cgroups are frozen at the first or second look.
Result<> freeze_v1(const Freezer& freezer, int timeout_ms) {
  constexpr int kEagerLooks = 20, kLongestPauseMs = 10, kLooksBetweenThaws = 50;
  const std::string path = join(freezer.directory, "freezer.state");
  const int64_t deadline = sys::monotonic_ms() + timeout_ms;
  Result<UniqueFd> fd = sys::open(sys::kCwd, path, O_RDWR);
  if (!fd) return std::unexpected(no_file(std::move(fd).error(), freezer, path));
  int pause = 1;
  for (int look = 1;; ++look) {
    TRY(sys::write_once(*fd, path, "FROZEN"));
    std::string state = TRY(sys::reread_control(*fd, path));
    if (trim(state) == "FROZEN") return {};
    if (sys::monotonic_ms() >= deadline) break;
    if (look <= kEagerLooks) continue;
    // Processes that wait for one that is frozen already get on when all may run for a moment.
    if (look % kLooksBetweenThaws == 0) TRY(sys::write_once(*fd, path, "THAWED"));
    sys::pause_ms(pause);
    pause = std::min(pause * 2, kLongestPauseMs);
  }
  (void)sys::write_once(*fd, path, "THAWED");
  return refuse(cat("freeze ", freezer.directory, ": not all processes stopped within ", timeout_ms,
                    " ms; it was thawed again"));
}

Result<> thaw_v1(const Freezer& freezer, const Location& location) {
  const std::string path = join(freezer.directory, "freezer.state");
  Result<UniqueFd> fd = sys::open(sys::kCwd, path, O_RDWR);
  if (!fd) return std::unexpected(no_file(std::move(fd).error(), freezer, path));
  // More than once: somebody may pause it in this moment.
  constexpr int kTries = 20;
  for (int i = 0; i < kTries; ++i) {
    TRY(sys::write_once(*fd, path, "THAWED"));
    std::string state = TRY(sys::reread_control(*fd, path));
    if (trim(state) == "THAWED") return {};
    TRY(blame_above(freezer, location));
  }
  return refuse(cat("thaw ", freezer.directory, ": still frozen; somebody freezes it again"));
}

}  // namespace

Result<> thaw_v1_below(const std::string& directory) {
  Result<std::string> text = sys::read_control(sys::kCwd, join(directory, "freezer.self_freezing"));
  if (text && trim(*text) == "1") {
    Result<> done = sys::write_control(sys::kCwd, join(directory, "freezer.state"), "THAWED");
    if (!done && done.error().code != ENOENT && done.error().code != ENODEV) return done;
  }
  Result<std::vector<std::string>> below = sys::list_subdirectories(sys::kCwd, directory);
  if (!below) {
    if (below.error().code == ENOENT || below.error().code == ENODEV) return {};
    return std::unexpected(std::move(below).error());
  }
  for (const std::string& name : *below) TRY(thaw_v1_below(join(directory, name)));
  return {};
}

Result<bool> bring_back(const Location& location, pid_t pid) {
  const Directory* v1 = v1_directory(location, "freezer");
  if (v1 == nullptr) return false;
  TRY(sys::write_control(sys::kCwd, join(v1->path, "cgroup.procs"), cat(pid)));
  return true;
}

Result<> freeze_within(const Location& location, int timeout_ms) {
  Freezer freezer = TRY(find_freezer(location));
  return freezer.v2 ? write_v2(freezer, location, true, timeout_ms)
                    : freeze_v1(freezer, timeout_ms);
}

Result<> thaw_within(const Location& location, int timeout_ms) {
  Freezer freezer = TRY(find_freezer(location));
  return freezer.v2 ? write_v2(freezer, location, false, timeout_ms) : thaw_v1(freezer, location);
}

Result<> freeze(const Location& location) { return freeze_within(location, kTimeoutMs); }
Result<> thaw(const Location& location) { return thaw_within(location, kTimeoutMs); }

Result<bool> is_frozen(const Location& location) {
  Result<Freezer> freezer = find_freezer(location);
  if (!freezer) return false;
  // What was asked of this very cgroup: one that stands still because of a cgroup above it is not
  // paused, and cannot be resumed either.
  const std::string path =
      join(freezer->directory, freezer->v2 ? "cgroup.freeze" : "freezer.self_freezing");
  Result<std::string> text = sys::read_control(sys::kCwd, path);
  if (text) return trim(*text) == "1";
  // ENODEV: removed between open and read.
  if (text.error().code == ENOENT || text.error().code == ENODEV) return false;
  return std::unexpected(std::move(text).error());
}

}  // namespace ocirt::cgroup
