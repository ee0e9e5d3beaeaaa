#include "src/container/run.h"

#include <csignal>
#include <optional>
#include <utility>

#include "oci-spec/documents.h"
#include "src/container/attend.h"
#include "src/container/delete.h"
#include "src/container/hooks.h"
#include "src/container/new_container.h"
#include "src/container/notify_socket.h"
#include "src/container/start.h"
#include "src/container/status.h"
#include "src/sys/process.h"

namespace ocirt::container {
namespace {

// The lock on a container's directory.
struct HeldLock {
  const Directory& directory;
  bool held = true;
  void release() {
    if (std::exchange(held, false)) (void)directory.unlock();
  }
};

}  // namespace

Result<int> run(const Store& store, const GlobalOptions& global, const CreateOptions& options,
                Warnings& warnings, Warnings& complaints) {
  // Signals wait from here on: one that comes while the container is made is forwarded afterwards.
  std::optional<sys::SignalInbox> signals;
  if (!options.detach) signals.emplace(sys::SignalInbox::block());
  NewContainer made = TRY(make_container(store, global, options, plan::Purpose::run));
  warnings = made.warnings;
  complaints = made.complaints;
  begin_phase(global.timeline, "record");
  // In a pid namespace of its own the container's orphans are its init's.
  if (!options.detach && !options.no_subreaper && !made.record.own_pid_namespace)
    TRY(sys::become_subreaper());
  TRY(made.record_it(options.pid_file));
  const oci::Hooks hooks = made.bundle.spec.hooks.value_or(oci::Hooks());
  UniqueFd state;
  if (!hooks.start_container.empty()) {
    oci::State inside = TRY(state_inside(made.record, oci::Status::kCreated));
    state = TRY(state_file(oci::write(inside, false)));
  }
  const Directory& directory = made.directory->directory();
  std::optional<NotifySocket> notify = TRY(NotifySocket::open(directory));
  TRY(made.init->start(state));
  TRY(finish_start(hooks.poststart, made.record, made.init->pidfd()));
  made.commit();
  // The container is complete: others may pause, update and delete it from here on. One whose
  // program ends at once is gone before anybody could.
  HeldLock lock{directory};
  if (notify) lock.release();
  if (options.detach && notify) TRY(notify->wait_until_ready(made.init->pidfd(), made.record.pid));
  if (options.detach) {
    if (notify && !notify->failure().empty()) complaints.push_back(notify->failure());
    return 0;
  }
  begin_phase(global.timeline, "program runs");
  Result<sys::ExitStatus> status =
      attend(made.init->pid(), made.init->pidfd(), made.init->console(), *signals,
             notify ? &*notify : nullptr, Callback<>::to<&HeldLock::release>(lock));
  if (notify && !notify->failure().empty()) complaints.push_back(notify->failure());
  if (!status) return std::unexpected(std::move(status).error());
  begin_phase(global.timeline, "remove");
  if (!options.keep && (lock.held || TRY(directory.lock_again()))) {
    // In a cgroup that was not empty there are others than the container's.
    if (!made.record.own_pid_namespace && !made.record.cgroup.shared)
      TRY(cgroup::signal_all(made.record.cgroup, SIGKILL));
    Warnings more = TRY(dismantle(store, directory, made.record, hooks.poststop));
    warnings.insert(warnings.end(), more.begin(), more.end());
  }
  UniqueFd::leave_open();
  return status->shell_code();
}

}  // namespace ocirt::container
