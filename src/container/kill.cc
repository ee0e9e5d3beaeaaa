#include "src/container/kill.h"

#include <cerrno>
#include <csignal>

#include "src/base/text.h"
#include "src/container/members.h"
#include "src/container/status.h"
#include "src/sys/process.h"

namespace ocirt::container {
namespace {

// One that has ended meanwhile is no error, and its pid may be somebody else's by now.
Result<> signal_member(const Member& member, int signal) {
  Result<UniqueFd> pidfd = sys::pidfd_open(member.pid);
  if (!pidfd && pidfd.error().code == ESRCH) return {};
  UniqueFd process = TRY(std::move(pidfd));
  std::optional<sys::ProcessStat> stat = TRY(sys::process_stat(member.pid));
  if (!stat || stat->start_time != member.start_time) return {};
  Result<> sent = sys::send_signal(process, signal);
  if (!sent && sent.error().code == ESRCH) return {};
  return sent;
}

Result<> kill_all(const Record& record, Fd init, int signal) {
  if (!record.cgroup.directories.empty()) return cgroup::signal_all(record.cgroup, signal);
  // The kernel ends the others with init.
  if (!init.valid()) return {};
  if (signal == SIGKILL && record.own_pid_namespace) return sys::send_signal(init, signal);
  const std::vector<Member> members = TRY(members_without_cgroup(record));
  for (const Member& member : members) TRY(signal_member(member, signal));
  return {};
}

// Those beside init end with it in any case; of a cgroup that others are in too, init alone is
// ours.
Result<> end_frozen(const Record& record) {
  if (!record.cgroup.shared) return cgroup::signal_all(record.cgroup, SIGKILL);
  (void)cgroup::thaw(record.cgroup);
  return cgroup::lift_out(record.cgroup, record.pid);
}

}  // namespace

Result<> kill(const Store& store, const std::string& id, int signal, bool all) {
  Directory directory = TRY(store.find(id, Store::Lock::none));
  Record record = TRY(directory.read());
  if (record.pid == 0) return refuse(cat("container ", id, " is still being created"));
  UniqueFd init = TRY(open_init(record));
  if (all) return kill_all(record, init, signal);
  if (!init.valid()) return std::unexpected(Error{ESRCH, "container not running"});

  // Who else of a cgroup that was not empty is ours cannot be told.
  const bool whole = signal == SIGKILL && !record.own_pid_namespace && !record.cgroup.shared &&
                     !record.cgroup.directories.empty();
  Result<> sent =
      whole ? cgroup::signal_all(record.cgroup, signal) : sys::send_signal(init, signal);
  if (!sent && sent.error().code == ESRCH) {
    return std::unexpected(Error{ESRCH, "container not running"});
  }
  TRY(std::move(sent));
  // The v2 freezer lets SIGKILL through, the v1 freezer does not.
  if (signal != SIGKILL || record.cgroup.layout == cgroup::Layout::unified) return {};
  if (!cgroup::frozen_at_or_above(record.cgroup).empty()) return end_frozen(record);
  Result<bool> frozen = cgroup::is_frozen(record.cgroup);
  Result<> thawed = !frozen   ? Result<>(std::unexpected(frozen.error()))
                    : *frozen ? cgroup::thaw(record.cgroup)
                              : Result<>();
  // Whoever is dead may have been deleted by somebody else meanwhile.
  const bool is_gone = !thawed && (thawed.error().code == ENOENT || thawed.error().code == ENODEV);
  return is_gone ? Result<>() : thawed;
}

}  // namespace ocirt::container
