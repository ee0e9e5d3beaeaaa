// Cgroups that stand still because of one above them: whoever has frozen a slice or a pod has
// frozen every container in it. A process that is born there waits, and who has made it with
// vfork(2) waits for it, in a way that only SIGKILL ends: so it is asked for before. Version 1
// holds even those who have been killed.
#include <cerrno>

#include "src/base/text.h"
#include "src/linux/cgroup/cgroup.h"
#include "src/linux/cgroup/hierarchies.h"
#include "src/linux/cgroup/processes.h"
#include "src/sys/control_file.h"
#include "src/sys/file.h"

namespace ocirt::cgroup {
namespace {

// What is in no other cgroup than the top, which cannot be frozen: the usual case outside of
// engines, and not to cost a system call.
bool is_at_top(const Location& location, const Directory& directory) {
  const std::string_view above = parent_of(directory.path);
  return (location.layout == Layout::unified ? above : parent_of(above)) == "/sys/fs/cgroup";
}

// A whole tree of version 1 knows at once; version 2 tells of a cgroup with processes when all of
// them have stopped, and of a new one at once.
bool stands_still(const Directory& directory) {
  if (!directory.controllers.empty()) {
    Result<std::string> state = sys::read_control(sys::kCwd, join(directory.path, "freezer.state"));
    return state && trim(*state) != "THAWED";
  }
  Result<std::string> events = sys::read_control(sys::kCwd, join(directory.path, "cgroup.events"));
  return events && value_of(*events, "frozen") == "1";
}

// The lowest directory from `path` upwards that somebody has frozen; empty: none. The top has no
// such file.
std::string first_frozen(std::string_view path, const char* file) {
  for (; path != "/"; path = parent_of(path)) {
    Result<std::string> text = sys::read_control(sys::kCwd, join(path, file));
    if (!text) break;
    if (trim(*text) == "1") return std::string(path);
  }
  return {};
}

}  // namespace

std::string frozen_at_or_above(const Location& location, bool is_new) {
  const Directory* v1 = v1_directory(location, "freezer");
  if (v1 != nullptr && !is_at_top(location, *v1) && stands_still(*v1)) {
    return first_frozen(v1->path, "freezer.self_freezing");
  }
  const Directory* v2 = v2_directory(location);
  if (v2 != nullptr && !is_at_top(location, *v2) && (!is_new || stands_still(*v2))) {
    return first_frozen(v2->path, "cgroup.freeze");
  }
  return {};
}

Result<> check_not_frozen(const Location& location, bool is_new) {
  const std::string frozen = frozen_at_or_above(location, is_new);
  if (frozen.empty()) return {};
  return refuse(cat("container's cgroup unexpectedly frozen: ", frozen,
                    " is frozen, and nothing begins in it until it is thawed"));
}

Result<> lift_out(const Location& location, pid_t only) {
  const Directory* v1 = v1_directory(location, "freezer");
  if (v1 == nullptr || is_at_top(location, *v1) || !stands_still(*v1)) return {};
  std::string_view place = parent_of(v1->path);
  // The top has no such file.
  while (place != "/" && stands_still({v1->controllers, std::string(place)})) {
    place = parent_of(place);
  }
  const std::string procs = join(place, "cgroup.procs");
  std::vector<pid_t> pids = {only};
  if (only == 0) pids = TRY(processes_below(v1->path));
  // Who is frozen cannot end, and keeps its pid.
  for (pid_t pid : pids) {
    Result<> done = sys::write_control(sys::kCwd, procs, cat(pid));
    if (!done && done.error().code != ESRCH) return done;
  }
  return {};
}

}  // namespace ocirt::cgroup
