// Making a container's cgroups and opening them for its first process. This is on the path of every
// start: the leaf is tried first and parents only when that fails, and on v2 two reads tell that
// nothing has to be enabled.
#include <fcntl.h>

#include <cerrno>
#include <ranges>

#include "src/base/text.h"
#include "src/linux/cgroup/cgroup.h"
#include "src/linux/cgroup/controllers.h"
#include "src/linux/cgroup/hierarchies.h"
#include "src/sys/control_file.h"
#include "src/sys/file.h"

namespace ocirt::cgroup {
namespace {

constexpr mode_t kMode = 0755;

// mkdir with parents; appends what was made. False when the directory was there already.
Result<bool> make_directory(const std::string& path, std::vector<std::string>& made) {
  Result<> done = sys::mkdir(sys::kCwd, path, kMode);
  if (!done && done.error().code == ENOENT && parent_of(path) != "/") {
    TRY(make_directory(std::string(parent_of(path)), made));
    done = sys::mkdir(sys::kCwd, path, kMode);
  }
  if (done) {
    made.push_back(path);
    return true;
  }
  if (done.error().code == EEXIST) return false;
  return std::unexpected(reword_missing(done.error(), parent_of(path)));
}

// A v1 cpuset is born without CPUs and memory nodes and lets no process in until it has both
// (cpusets of the kernel's documentation; clone_children is off by default). Copies the parent's
// into `path`, after filling the parent if that is empty too. Directories that somebody else filled
// stay.
Result<> fill_cpuset(const std::string& path) {
  for (const char* name : {"cpuset.cpus", "cpuset.mems"}) {
    const std::string parent(parent_of(path));
    std::string value = TRY(sys::read_control(sys::kCwd, join(parent, name)));
    if (trim(value).empty()) {
      TRY(fill_cpuset(parent));
      value = TRY(sys::read_control(sys::kCwd, join(parent, name)));
    }
    Result<> done = sys::write_control(sys::kCwd, join(path, name), trim(value));
    // EINVAL: a sibling owns some of them exclusively. linux.resources.cpu may still choose others.
    if (!done && done.error().code != EINVAL) return done;
  }
  return {};
}

Result<bool> is_empty_cpuset(const std::string& path) {
  for (const char* name : {"cpuset.cpus", "cpuset.mems"}) {
    std::string value = TRY(sys::read_control(sys::kCwd, join(path, name)));
    if (trim(value).empty()) return true;
  }
  return false;
}

// A cgroup that was there before must not be frozen: init would stop at its first step. Whether
// somebody is in it.
Result<bool> check_reusable(const Location& location, const Directory& directory) {
  Location only{location.layout, {directory}};
  if (TRY(is_frozen(only))) {
    return refuse(cat("container's cgroup unexpectedly frozen: thaw or remove ", directory.path));
  }
  return !TRY(processes(only)).empty();
}

}  // namespace

Made& Made::operator=(Made&& other) noexcept {
  if (this != &other) {
    Made old(std::move(*this));  // its destructor removes what we owned
    directories_ = std::move(other.directories_);
    location_ = std::move(other.location_);
    shared_ = std::move(other.shared_);
    fresh_ = other.fresh_;
    other.directories_.clear();
  }
  return *this;
}

Made::~Made() {
  if (!directories_.empty() && fresh_) (void)remove(location_);
  // Best effort: whoever gives up has an error of his own to report. What did not vanish here is in
  // use by somebody else.
  for (const std::string& path : std::views::reverse(directories_)) {
    (void)sys::rmdir(sys::kCwd, path);
  }
}

Result<Made> make(const Location& location, std::string_view top_controllers) {
  Made made;
  made.location_ = location;
  for (const Directory& directory : location.directories) {
    const size_t before = made.directories_.size();
    const bool is_new =
        TRY(within("linux.cgroupsPath", make_directory(directory.path, made.directories_)));
    if (!is_new) {
      made.fresh_ = false;
      const bool occupied = TRY(check_reusable(location, directory));
      if (occupied && made.shared_.empty()) made.shared_ = directory.path;
    }
    if (location.layout == Layout::unified) {
      TRY(enable_available_controllers(directory.path, top_controllers));
    } else if (lists_controller(directory.controllers, "cpuset")) {
      for (size_t i = before; i < made.directories_.size(); ++i) {
        TRY(within("linux.cgroupsPath", fill_cpuset(made.directories_[i])));
      }
      if (!is_new && TRY(is_empty_cpuset(directory.path))) {
        TRY(within("linux.cgroupsPath", fill_cpuset(directory.path)));
      }
    }
  }
  return made;
}

Result<> make_missing(const Location& location) {
  std::vector<std::string> made;
  for (const Directory& directory : location.directories) {
    const size_t before = made.size();
    TRY(within("linux.cgroupsPath", make_directory(directory.path, made)));
    if (location.layout == Layout::unified) {
      TRY(enable_available_controllers(directory.path));
    } else if (lists_controller(directory.controllers, "cpuset")) {
      for (size_t i = before; i < made.size(); ++i) {
        TRY(within("linux.cgroupsPath", fill_cpuset(made[i])));
      }
    }
  }
  return {};
}

Result<Entrance> open_entrance(const Location& location) {
  Entrance entrance;
  for (const Directory& directory : location.directories) {
    const bool unified = location.layout == Layout::unified;
    const std::string path = unified ? directory.path : join(directory.path, "cgroup.procs");
    Result<UniqueFd> fd = sys::open(sys::kCwd, path, unified ? O_RDONLY | O_DIRECTORY : O_WRONLY);
    if (!fd) return std::unexpected(reword_missing(fd.error(), path));
    if (unified) {
      entrance.directory = std::move(*fd);
    } else {
      entrance.procs.push_back(std::move(*fd));
    }
  }
  return entrance;
}

Result<Entrance> open_entrance_of(pid_t pid) {
  std::string text = TRY(sys::read_file(sys::kCwd, cat("/proc/", pid, "/cgroup")));
  std::string_view rest = text;
  while (std::optional<std::string_view> line = next_line(rest)) {
    if (!line->starts_with("0::/")) continue;
    const std::string path = cat("/sys/fs/cgroup", line->substr(3));
    Entrance entrance;
    entrance.directory = TRY(sys::open(sys::kCwd, path, O_RDONLY | O_DIRECTORY));
    return entrance;
  }
  return refuse(cat("process ", pid, " is in no cgroup2 directory"));
}

Result<> enter(const Entrance& entrance, pid_t pid) {
  const std::string text = cat(pid);
  if (entrance.directory.valid())
    return sys::write_control(entrance.directory, "cgroup.procs", text);
  for (const UniqueFd& procs : entrance.procs) TRY(sys::write_once(procs, "cgroup.procs", text));
  return {};
}

Result<> move_below(const Location& location, std::string_view name, pid_t pid) {
  const std::string path = join(location.directories.front().path, name);
  TRY(sys::mkdir_parents(path, 0755));
  return sys::write_control(sys::kCwd, join(path, "cgroup.procs"), cat(pid));
}

}  // namespace ocirt::cgroup
