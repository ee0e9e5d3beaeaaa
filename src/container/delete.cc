#include "src/container/delete.h"

#include <cerrno>
#include <csignal>
#include <optional>
#include <vector>

#include "oci-spec/documents.h"
#include "src/base/text.h"
#include "src/container/hooks.h"
#include "src/container/host_root.h"
#include "src/container/oci_result.h"
#include "src/container/status.h"
#include "src/container/systemd_v1.h"
#include "src/container/unit.h"
#include "src/linux/cgroup/hold.h"
#include "src/sys/file.h"
#include "src/sys/lock.h"
#include "src/sys/process.h"

namespace ocirt::container {
namespace {

// A process in an uninterruptible wait can outlast SIGKILL; then it is better to fail than to hang.
constexpr int kKillTimeoutMs = 10000;
// Of those: who is not gone by then is looked for in a frozen cgroup of somebody else's.
constexpr int kPromptMs = 500;

Result<bool> wait_for_init(const Record& record, Fd init) {
  if (TRY(sys::wait_until_ended(init, kPromptMs))) return true;
  // When it is not to be had back, the wait below says so.
  (void)cgroup::bring_back(record.cgroup, record.pid);
  if (record.cgroup.shared) {
    (void)cgroup::lift_out(record.cgroup, record.pid);
  } else if (!record.cgroup.directories.empty()) {
    // Init of a pid namespace ends after those in it, who may stand still as well.
    (void)cgroup::signal_all(record.cgroup, SIGKILL);
  }
  return sys::wait_until_ended(init, kKillTimeoutMs - kPromptMs);
}

// What keeps a container from dying: for the error.
std::string why_alive(const Record& record) {
  const std::string frozen = cgroup::frozen_at_or_above(record.cgroup);
  if (!frozen.empty()) return cat(frozen, " is frozen: thaw it, then delete again");
  // Init waits for those beside it, so one that is not to be ended need not be init.
  std::vector<pid_t> all = cgroup::processes(record.cgroup).value_or(std::vector<pid_t>());
  if (all.empty()) all.push_back(record.pid);
  for (const pid_t pid : all) {
    Result<std::optional<sys::ProcessStat>> stat = sys::process_stat(pid);
    if (stat && *stat && (*stat)->state == 'D') {
      return cat("process ", pid,
                 " waits for a device or a file system (state D), which has to answer first");
    }
  }
  return "it may be waiting for a device";
}

// Ends init and, through its end or its cgroup, everybody else; returns when init is gone.
Result<> kill_and_wait(const Record& record, oci::Status status, Fd init) {
  if (init.valid()) {
    Result<> sent = sys::send_signal(init, SIGKILL);
    if (!sent && sent.error().code != ESRCH) return sent;
  }
  // A frozen init has to be thawed to die, and without a pid namespace of its own it has survivors.
  bool others = status == oci::Status::kPaused || !record.own_pid_namespace || !init.valid();
  if (others && record.cgroup.shared) {
    // Who of those inside is ours cannot be told, but for init.
    if (status == oci::Status::kPaused) TRY(cgroup::thaw(record.cgroup));
  } else if (others && !record.cgroup.directories.empty()) {
    TRY(cgroup::signal_all(record.cgroup, SIGKILL));
  }
  if (init.valid() && !TRY(wait_for_init(record, init))) {
    return refuse(cat("process ", record.pid, " is still there ", kKillTimeoutMs / 1000,
                      " seconds after SIGKILL: ", why_alive(record)));
  }
  return {};
}

// Another command holds the container and waits for init or for a hook: `start` for an init that
// somebody has stopped, for instance. With init its reason to wait is gone, and it lets go.
void end_under_others(const Directory& directory) {
  Result<Record> record = directory.read();
  if (!record) return;
  if (Result<UniqueFd> init = open_init(*record); init && init->valid())
    (void)sys::send_signal(*init, SIGKILL);
  if (!record->cgroup.shared) (void)cgroup::signal_all(record->cgroup, SIGKILL);
}

Result<Directory> find_to_remove(const Store& store, const std::string& id, bool force) {
  while (force) {
    Directory directory = TRY(store.find(id, Store::Lock::none));
    bool locked = TRY(sys::lock_within(directory.fd(), id, kPromptMs));
    if (!locked) {
      end_under_others(directory);
      locked = TRY(sys::lock_within(directory.fd(), id, kKillTimeoutMs));
    }
    if (!locked) {
      return std::unexpected(
          Error{EBUSY,
                cat("container ", id, ": another command is at work on it and has not ended ",
                    kKillTimeoutMs / 1000, " seconds after the container's processes (a hook that ",
                    "hangs?): end that command, then delete again")});
    }
    if (TRY(directory.lock_again())) return directory;
  }
  return store.find(id, Store::Lock::exclusive);
}

// What an interrupted `create` left: a directory whose record is missing or is none. Nothing says
// which cgroup it had, so that one stays.
bool is_remains(const Error& why) {
  // Another error of the system call says nothing about the record: there may well be a container.
  return why.code == 0 || why.code == ENOENT || why.code == EFBIG;
}

Result<Warnings> remove_remains(const Store& store, const Directory& directory, Error why,
                                bool force) {
  if (!force) {
    why.text += "; `delete --force` removes what is left of it";
    return std::unexpected(std::move(why));
  }
  TRY(within(directory.id(), store.remove_remains(directory)));
  return Warnings{cat(why.text, "; removed, but a cgroup that it may have had is unknown")};
}

}  // namespace

Result<Warnings> remove_container(const Store& store, const std::string& id, bool force) {
  Result<Directory> found = find_to_remove(store, id, force);
  if (!found && found.error().code == ENOENT && force) return Warnings{};
  Directory directory = TRY(std::move(found));
  Result<Record> read = directory.read();
  if (!read && !is_remains(read.error())) return std::unexpected(std::move(read).error());
  if (!read) return remove_remains(store, directory, std::move(read).error(), force);
  Record record = *std::move(read);

  const auto [status, init] = TRY(standing_of(directory, record));
  if (status != oci::Status::kStopped && status != oci::Status::kCreated && !force) {
    return refuse(
        cat("cannot delete container ", id, " that is not stopped: ", oci::to_string(status)));
  }
  if (status != oci::Status::kStopped) TRY(kill_and_wait(record, status, init));

  Result<oci::Hooks> hooks = saved_hooks(directory, record, "poststop");
  // Not its files: those that are open are kept as well, with their directory.
  UniqueFd::close_group();
  const std::vector<UniqueFd> held = cgroup::hold(record.cgroup);
  Warnings warnings =
      TRY(dismantle(store, directory, record, hooks ? hooks->poststop : std::vector<oci::Hook>()));
  if (!hooks) warnings.push_back(cat("poststop hooks not run: ", hooks.error().text));
  return warnings;
}

Result<Warnings> dismantle(const Store& store, const Directory& directory, const Record& record,
                           std::span<const oci::Hook> poststop) {
  TRY(end_unit(record));
  TRY(cgroup::remove(whole_cgroup(record)));
  TRY(cgroup::remove(v1_for_systemd(record.systemd_v1)));
  TRY(remove_host_root(record));
  if (record.resctrl) TRY(within("linux.intelRdt", resctrl::remove(*record.resctrl)));
  TRY(store.remove(directory));
  if (poststop.empty()) return Warnings();
  return run_all_hooks(poststop, oci::write(state_of(record, oci::Status::kStopped), false),
                       "poststop", record.annotations);
}

}  // namespace ocirt::container
