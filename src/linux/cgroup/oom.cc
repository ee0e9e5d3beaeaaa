#include "src/linux/cgroup/oom.h"

#include <fcntl.h>

#include <array>
#include <cerrno>

#include "src/base/text.h"
#include "src/linux/cgroup/hierarchies.h"
#include "src/sys/control_file.h"
#include "src/sys/file.h"
#include "src/sys/watch.h"

namespace ocirt::cgroup {
namespace {

// Invalid where the file is missing: a controller that is not there.
Result<UniqueFd> open_if_there(const std::string& path) {
  Result<UniqueFd> fd = sys::open(sys::kCwd, path, O_RDONLY);
  if (!fd && fd.error().code == ENOENT) return UniqueFd();
  return fd;
}

// The registration lasts as long as the counter; the control file may be closed.
Result<UniqueFd> register_counter(const std::string& directory) {
  UniqueFd counter = TRY(sys::event_counter());
  UniqueFd control = TRY(open_if_there(join(directory, "memory.oom_control")));
  if (!control.valid()) return UniqueFd();
  TRY(sys::write_control(sys::kCwd, join(directory, "cgroup.event_control"),
                         cat(counter.raw(), " ", control.raw())));
  return counter;
}

}  // namespace

Result<OomWatch> OomWatch::open(const Location& location, Fd init) {
  if (location.directories.empty()) {
    return std::unexpected(Error{ENOTSUP, "not supported: the container has no cgroup of its own"});
  }
  OomWatch watch;
  watch.init_ = init;
  const Directory* v1_memory = v1_directory(location, "memory");
  const Directory* v2 = v2_directory(location);
  if (v2 != nullptr) watch.populated_ = TRY(open_if_there(join(v2->path, "cgroup.events")));
  if (v1_memory != nullptr) {
    watch.is_v1_ = true;
    watch.directory_ = v1_memory->path;
    watch.memory_ = TRY(register_counter(v1_memory->path));
  } else if (v2 != nullptr) {
    watch.memory_ = TRY(open_if_there(join(v2->path, "memory.events")));
    (void)watch.count_kills();  // what was before is no news
  }
  return watch;
}

uint64_t OomWatch::count_kills() {
  if (is_v1_) {
    const uint64_t count = sys::take_count(memory_).value_or(0);
    // The removal of the cgroup moves the counter too.
    return sys::exists(sys::kCwd, directory_) ? count : 0;
  }
  Result<std::string> events = sys::reread_control(memory_, "memory.events");
  if (!events) return 0;  // ENODEV: the cgroup is gone
  const uint64_t kills = to_number<uint64_t>(value_of(*events, "oom_kill")).value_or(0);
  const uint64_t before = known_kills_;
  known_kills_ = kills;
  return kills > before ? kills - before : 0;
}

bool OomWatch::is_empty() {
  Result<std::string> events = sys::reread_control(populated_, "cgroup.events");
  return !events || value_of(*events, "populated") == "0";
}

Result<OomWatch::Change> OomWatch::wait(int timeout_ms) {
  Change change;
  // Read before the waiting too: poll(2) reports what has changed since the last read.
  if (populated_.valid() && is_empty()) change.ended = true;
  std::array<sys::Watched, 3> watched = {sys::Watched{memory_, !is_v1_},
                                         sys::Watched{populated_, true},
                                         sys::Watched{populated_.valid() ? Fd() : init_}};
  TRY(sys::wait_for_any(watched, change.ended ? 0 : timeout_ms));
  if (watched[1].ready && is_empty()) change.ended = true;
  if (watched[2].ready) change.ended = true;
  // A kill and the end that it brings come together; the kill is looked at last, so that it is not
  // missed, whichever was reported first.
  if (memory_.valid() && (watched[0].ready || change.ended)) change.kills = count_kills();
  if (is_v1_ && !sys::exists(sys::kCwd, directory_)) change.ended = true;
  return change;
}

}  // namespace ocirt::cgroup
