// Taking a container's cgroups away. In the ordinary case its processes have ended and each
// directory goes with one rmdir(2); only what the kernel calls busy is looked into.
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "src/base/text.h"
#include "src/linux/cgroup/cgroup.h"
#include "src/linux/cgroup/hierarchies.h"
#include "src/linux/cgroup/hold.h"
#include "src/linux/cgroup/processes.h"
#include "src/sys/clock.h"
#include "src/sys/control_file.h"
#include "src/sys/file.h"

namespace ocirt::cgroup {
namespace {

constexpr int kTimeoutMs = 10'000;

bool is_gone(const Error& error) { return error.code == ENOENT || error.code == ENODEV; }
bool is_busy(const Error& error) { return error.code == EBUSY || error.code == ENOTEMPTY; }

// Waits until the kernel reports that nobody is below a v2 directory.
Result<> wait_until_empty_v2(const std::string& directory, int64_t deadline) {
  const std::string path = join(directory, "cgroup.events");
  Result<UniqueFd> fd = sys::open(sys::kCwd, path, O_RDONLY);
  if (!fd) {
    if (is_gone(fd.error())) return {};
    return std::unexpected(std::move(fd).error());
  }
  for (;;) {
    Result<std::string> text = sys::reread_control(*fd, path);
    if (!text && is_gone(text.error())) return {};
    if (!text) return std::unexpected(std::move(text).error());
    if (value_of(*text, "populated") == "0") return {};
    const int64_t left = deadline - sys::monotonic_ms();
    if (left <= 0 || !TRY(sys::wait_for_change(*fd, static_cast<int>(left)))) return {};
  }
}

// Which processes keep a cgroup, for the error: "process 12, 13".
std::string holders(const std::string& directory) {
  Result<std::vector<pid_t>> pids = processes_below(directory);
  if (!pids || pids->empty()) return "the kernel still calls it busy";
  constexpr size_t kMostNamed = 5;
  std::string text = "it still holds process ";
  for (size_t i = 0; i < pids->size() && i < kMostNamed; ++i) {
    text += cat(i == 0 ? "" : ", ", (*pids)[i]);
  }
  if (pids->size() > kMostNamed) text += " and others";
  return text;
}

// Removes a directory and those below it, killing who is still inside: a process may have moved to
// a part of the tree that the first kill did not reach.
Result<> remove_directory(const std::string& path, int64_t deadline) {
  for (int pause = 1;; pause = std::min(pause * 2, 16)) {
    Result<> done = sys::rmdir(sys::kCwd, path);
    if (done || is_gone(done.error())) return {};
    if (!is_busy(done.error())) return done;
    Result<std::vector<std::string>> below = sys::list_subdirectories(sys::kCwd, path);
    if (!below && is_gone(below.error())) return {};
    if (!below) return std::unexpected(std::move(below).error());
    for (const std::string& name : *below) TRY(remove_directory(join(path, name), deadline));
    if (!below->empty()) {
      done = sys::rmdir(sys::kCwd, path);
      if (done || is_gone(done.error())) return {};
    }
    if (sys::monotonic_ms() >= deadline) {
      return std::unexpected(Error{EBUSY, cat("remove the cgroup ", path, ": ", holders(path),
                                              " after ", kTimeoutMs, " ms")});
    }
    if (TRY(processes_below(path)).empty()) {
      // The last process has ended, but the kernel has not taken it off the books yet, which v1
      // does not report.
      sys::pause_ms(pause);
      continue;
    }
    TRY(signal_below(path, SIGKILL));
    TRY(wait_for_processes(path, deadline));
  }
}

}  // namespace

Result<> remove(const Location& location) {
  std::vector<std::string> busy;
  Result<> result;
  for (const Directory& directory : location.directories) {
    Result<> done = sys::rmdir(sys::kCwd, directory.path);
    if (done || is_gone(done.error())) continue;
    if (is_busy(done.error())) {
      if (!location.shared) busy.push_back(directory.path);
    } else if (result) {
      result = std::move(done);
    }
  }
  if (busy.empty()) return result;

  const int64_t deadline = sys::monotonic_ms() + kTimeoutMs;
  Result<> killed = signal_all(location, SIGKILL);
  if (!killed && !is_gone(killed.error())) return killed;
  if (const Directory* v2 = v2_directory(location)) TRY(wait_until_empty_v2(v2->path, deadline));
  for (const std::string& path : busy) {
    Result<> done = remove_directory(path, deadline);
    if (!done && result) result = std::move(done);
  }
  return result;
}

std::vector<UniqueFd> hold(const Location& location) {
  std::vector<UniqueFd> held;
  held.reserve(location.directories.size());
  for (const Directory& directory : location.directories) {
    if (Result<UniqueFd> fd = sys::open(sys::kCwd, directory.path, O_PATH | O_DIRECTORY)) {
      held.push_back(std::move(*fd));
    }
  }
  return held;
}

}  // namespace ocirt::cgroup
