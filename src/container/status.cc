#include "src/container/status.h"

#include <cerrno>

#include "src/base/text.h"
#include "src/linux/cgroup/cgroup.h"
#include "src/sys/file.h"
#include "src/sys/process.h"
#include "src/sys/socket.h"

namespace ocirt::container {

Result<UniqueFd> open_init(const Record& record) {
  if (record.pid <= 0) return UniqueFd();
  Result<UniqueFd> pidfd = sys::pidfd_open(record.pid);
  if (!pidfd && pidfd.error().code == ESRCH) return UniqueFd();
  if (!pidfd) return pidfd;
  std::optional<sys::ProcessStat> stat = TRY(sys::process_stat(record.pid));
  if (!stat || stat->start_time != record.start_time) return UniqueFd();
  // A leader that is a zombie may have threads that live on; the pidfd tells of the last one's end.
  if (stat->state == 'Z' || stat->state == 'X') {
    if (TRY(sys::wait_until_ended(*pidfd, 0))) return UniqueFd();
  }
  return pidfd;
}

namespace {

// Whether init listens. For somebody who wants to talk to it the connection that tells is kept.
Result<bool> init_waits(const Directory& directory, UniqueFd* gate) {
  if (gate == nullptr) return sys::is_listening(directory.fd(), kGate);
  Result<UniqueFd> connected = sys::connect_at(directory.fd(), kGate);
  if (!connected && (connected.error().code == ECONNREFUSED || connected.error().code == ENOENT))
    return false;
  *gate = TRY(std::move(connected));
  return true;
}

}  // namespace

Result<Standing> standing_of(const Directory& directory, const Record& record, UniqueFd* gate) {
  Standing standing;
  if (record.pid == 0) {
    standing.status = oci::Status::kCreating;
    return standing;
  }
  standing.init = TRY(open_init(record));
  if (!standing.init.valid()) return standing;
  // Before the question to init: a frozen one leaves connections waiting.
  if (TRY(cgroup::is_frozen(record.cgroup))) {
    standing.status = oci::Status::kPaused;
  } else {
    const bool waits = TRY(init_waits(directory, gate));
    standing.status = waits ? oci::Status::kCreated : oci::Status::kRunning;
  }
  return standing;
}

Result<oci::Status> status_of(const Directory& directory, const Record& record) {
  return TRY(standing_of(directory, record)).status;
}

oci::State state_of(const Record& record, oci::Status status) {
  oci::State state;
  state.oci_version = record.oci_version;
  state.id = record.id;
  state.status = status;
  state.pid = status == oci::Status::kStopped ? 0 : record.pid;
  state.bundle = record.bundle;
  state.annotations = record.annotations;
  return state;
}

Result<oci::State> state_inside(const Record& record, oci::Status status) {
  oci::State state = state_of(record, status);
  if (record.own_pid_namespace) {
    state.pid = 1;
    return state;
  }
  std::string text = TRY(sys::read_file(sys::kCwd, cat("/proc/", record.pid, "/status")));
  std::string_view rest = text;
  while (std::optional<std::string_view> line = next_line(rest)) {
    if (!line->starts_with("NSpid:")) continue;  // outermost to innermost, proc(5)
    std::vector<std::string_view> pids = split(trim(line->substr(6)), '\t');
    if (auto inner = to_number<int64_t>(pids.back())) state.pid = inner;
  }
  return state;
}

}  // namespace ocirt::container
