#include "src/container/start.h"

#include <csignal>

#include "oci-spec/documents.h"
#include "src/base/text.h"
#include "src/container/hooks.h"
#include "src/container/launch.h"
#include "src/container/notify_socket.h"
#include "src/container/status.h"
#include "src/plan/protocol.h"
#include "src/sys/file.h"
#include "src/sys/process.h"
#include "src/sys/socket.h"

namespace ocirt::container {
namespace {

std::unexpected<Error> not_startable(const std::string& id, oci::Status status) {
  switch (status) {
    case oci::Status::kRunning:
      return refuse("cannot start an already running container");
    case oci::Status::kPaused:  // it may have been paused before it was started
      return refuse("cannot start a paused container");
    case oci::Status::kStopped:
      return refuse("cannot start a container that has stopped");
    default:
      return refuse(cat("container ", id, " is still being created"));
  }
}

}  // namespace

Result<> finish_start(std::span<const oci::Hook> poststart, const Record& record, Fd init) {
  if (poststart.empty()) return {};
  Result<> done = run_hooks(poststart, oci::write(state_of(record, oci::Status::kRunning), false),
                            "poststart", record.annotations);
  if (done) return done;
  (void)sys::send_signal(init, SIGKILL);
  // Without a pid namespace of its own its end is not the end of the others.
  if (!record.own_pid_namespace && !record.cgroup.shared)
    (void)cgroup::signal_all(record.cgroup, SIGKILL);
  return done;
}

Result<Warnings> start(const Store& store, const std::string& id) {
  Directory directory = TRY(store.find(id, Store::Lock::exclusive));
  Record record = TRY(directory.read());
  UniqueFd gate;
  const auto [status, init] = TRY(standing_of(directory, record, &gate));
  if (status != oci::Status::kCreated) return not_startable(id, status);
  TRY(cgroup::check_not_frozen(record.cgroup));
  std::optional<NotifySocket> notify = TRY(NotifySocket::open(directory));
  UniqueFd state;
  oci::Hooks hooks = TRY(saved_hooks(directory, record, "start"));  // startContainer and poststart
  if (!hooks.start_container.empty()) {
    oci::State inside = TRY(state_inside(record, oci::Status::kCreated));
    state = TRY(state_file(oci::write(inside, false)));
  }
  plan::Header word{plan::Word::start};
  TRY(sys::send_message(gate, {reinterpret_cast<const char*>(&word), sizeof word}, state));
  ListenerRoute route{TRY(saved_agent(directory, record)), record.pid,
                      state_of(record, oci::Status::kCreated)};
  TRY(program_runs(gate, route));
  (void)sys::unlink(directory.fd(), kGate);
  // It runs: a poststart hook may take its time, or call us.
  TRY(directory.unlock());
  TRY(finish_start(hooks.poststart, record, init));
  Warnings warnings;
  if (notify) {
    TRY(notify->wait_until_ready(init, record.pid));
    if (!notify->failure().empty()) warnings.push_back(notify->failure());
  }
  return warnings;
}

}  // namespace ocirt::container
