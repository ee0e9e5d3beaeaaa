#include "src/container/launch.h"

#include <sched.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <tuple>
#include <utility>

#include "src/base/text.h"
#include "src/container/hooks.h"
#include "src/container/init_program.h"
#include "src/plan/segment.h"
#include "src/sys/file.h"
#include "src/sys/namespace.h"
#include "src/sys/process.h"
#include "src/sys/socket.h"

namespace ocirt::container {
namespace {

// A pid namespace that is joined together with the user namespace that owns it: its procfs can only
// be mounted from inside. Init may be seen there early, since nobody there has rights over a
// process that was executed outside of the user namespace.
bool move_at_once(const Draft& draft, const std::vector<UniqueFd>& namespaces) {
  Fd user, pids;
  for (size_t i = 0; i < draft.shared.size(); ++i) {
    if (draft.shared[i].flag == CLONE_NEWUSER) user = namespaces[i];
    if (draft.shared[i].flag == CLONE_NEWPID) pids = namespaces[i];
  }
  return user.valid() && pids.valid() && sys::is_owned_by(pids, user);
}

// Whether init needs nothing of ocirt on its way, so that Start can be there before it is ready.
// What goes wrong is heard of after the start then, and undone just the same.
bool may_start_at_once(const LaunchRequest& request, const plan::Plan& plan) {
  const bool hooked =
      plan.hooks_outside || (request.hooks != nullptr && request.hooks->has_value());
  return plan.purpose == plan::Purpose::run && !hooked && !plan.join_pid_namespace &&
         !plan.user.limits() && !plan.shares_mounts && !plan.process.terminal &&
         plan.process.seccomp.count == 0 && !request.agent && request.unit == nullptr &&
         !request.draft->scheduling.applies();
}

// Whether Start can be said as soon as there is an init: its successor then goes on to the program
// by itself, while we still learn of it. Not where it has to wait for us.
bool may_be_told_first(const LaunchRequest& request, const plan::Plan& plan) {
  return request.leaves_start_to_launch && plan.ready_by_moving && !plan.user.settles &&
         !request.enter_late && !request.agent && !request.draft->scheduling.applies();
}

}  // namespace

Result<Launched> launch_once(const LaunchRequest& request);

Result<Launched> launch(const LaunchRequest& request) {
  plan::Plan& plan = request.draft->builder.plan;
  Result<Launched> launched = launch_once(request);
  const bool filtered = plan.join_pid_namespace && !plan.move_early &&
                        plan.process.seccomp.count != 0 && !plan.process.no_new_privileges &&
                        !plan.hooks_outside;
  if (launched || !filtered) return launched;
  const int code = launched.error().code;
  if (code != EPERM && code != ENOSYS && code != EACCES) return launched;
  if (!launched.error().text.starts_with("pid namespace: ")) return launched;
  plan.move_early = true;  // the profile does not let the process clone: see init/successor.cc
  return launch_once(request);
}

Result<Launched> launch_once(const LaunchRequest& request) {
  begin_phase(request.timeline, "seal init");
  auto [ours, theirs] = TRY(sys::socket_pair());
  Draft& draft = *request.draft;
  plan::Plan& plan = draft.builder.plan;
  plan.channel = theirs.raw();
  plan.gate = request.gate.raw();
  plan.process.console_fd = request.console.raw();

  std::vector<UniqueFd> namespaces;
  std::vector<plan::Join> joins = request.joins;
  for (const SharedNamespace& shared : draft.shared) {
    UniqueFd fd = TRY(within("linux.namespaces", sys::open_namespace(shared.path, shared.flag)));
    if (shared.flag == CLONE_NEWPID) plan.join_pid_namespace = true;
    joins.push_back(
        {fd.raw(), static_cast<uint32_t>(shared.flag), draft.builder.text(shared.path)});
    namespaces.push_back(std::move(fd));
  }
  if (plan.user.settles && move_at_once(draft, namespaces)) {
    plan.join_pid_namespace = false;
    plan.user.forks = true;
  }
  plan.joins = draft.builder.list(joins);
  // Not where something may still go wrong that somebody has to hear of before the start.
  const bool filtered = plan.process.seccomp.count != 0 && !plan.process.no_new_privileges;
  plan.ready_by_moving = plan.join_pid_namespace && !plan.move_early && !plan.user.forks &&
                         plan.purpose != plan::Purpose::create && !filtered;
  plan.ready_in_silence = request.starts_at_once && may_start_at_once(request, plan);
  // Hooks have to see the end of what cannot run: then it is known before anything is started.
  const bool hooked = request.hooks != nullptr && request.hooks->has_value();
  plan.program_found_late =
      plan.purpose != plan::Purpose::create && !hooked && plan.process.seccomp.count == 0;

  HookOutput hook_output;
  if (plan.create_container.count != 0 || plan.start_container.count != 0) {
    hook_output = TRY(open_hook_output(request.record->annotations));
    plan.hooks_out = hook_output.out.raw();
    plan.hooks_err = hook_output.err.raw();
  }

  if (request.timeline != nullptr) TRY(request.timeline->follow_init(plan));

  UniqueFd program = TRY(init_program(draft.builder.finish()));
  const char* const argv[] = {plan::kInitName, nullptr};
  const char* const envp[] = {nullptr};

  std::vector<int> keep = {theirs.raw()};
  if (request.gate.valid()) keep.push_back(request.gate.raw());
  if (request.console.valid()) keep.push_back(request.console.raw());
  for (const plan::Join& join : joins) keep.push_back(join.fd);
  for (int fd : {plan.trace, plan.hooks_out, plan.hooks_err, plan.root_fd}) {
    if (fd >= 0) keep.push_back(fd);
  }
  for (const UniqueFd& tree : request.trees) keep.push_back(tree.raw());
  for (uint32_t i = 0; i < plan.process.preserved_fds; ++i) {
    const int fd = static_cast<int>(3 + i);
    if (sys::is_inherited(Fd(fd))) keep.push_back(fd);  // or it is a gap
  }
  std::vector<int> procs;
  sys::Spawn spawn;
  spawn.flags = draft.new_namespaces;
  spawn.program = program;
  spawn.argv = argv;
  spawn.envp = envp;
  spawn.keep = keep;
  spawn.signals_blocked = request.signals_blocked;
  spawn.for_parent = request.for_parent;
  if (request.entrance != nullptr && !request.enter_late) {
    spawn.cgroup = request.entrance->directory;
    for (const UniqueFd& fd : request.entrance->procs) procs.push_back(fd.raw());
    spawn.join = procs;
  }
  UniqueFd unit_gate, unit_key;
  if (request.unit != nullptr || request.unit_entrance != nullptr) {
    std::tie(unit_gate, unit_key) = TRY(sys::socket_pair());
    spawn.gate = unit_gate;
    spawn.gate_key = unit_key;
  }
  begin_phase(request.timeline, "clone");
  Launched launched;
  launched.timeline_ = request.timeline;
  launched.of_parent_ = request.for_parent;
  launched.child_ = TRY(sys::spawn(spawn));
  launched.channel_ = std::move(ours);
  if (unit_key.valid()) {
    if (request.unit != nullptr) {
      TRY(within("cgroup", place_in_unit(*request.unit, launched.pid(), *request.started_unit)));
    } else {
      const UnitEntrance& way = *request.unit_entrance;
      TRY(within("cgroup", cgroup::attach_to_unit(way.unit, way.below, launched.pid())));
    }
    TRY(sys::write_once(unit_key, "the gate of init", "x"));
  }
  // Before anything is said to init, and so before hooks and the program.
  if (request.new_devices) {
    TRY(cgroup::apply_new_device_rules(request.record->cgroup, *request.new_devices,
                                       *request.entrance));
  }
  theirs.reset();  // or its end could not be heard
  program.close_later();
  launched.is_exec_ = plan.purpose == plan::Purpose::exec || plan.purpose == plan::Purpose::mounts;
  launched.hooks_expected_ = plan.hooks_outside;
  launched.successor_expected_ = plan.join_pid_namespace || plan.user.forks;
  launched.ready_by_moving_ = plan.ready_by_moving;
  launched.ready_in_silence_ = plan.ready_in_silence;
  launched.settling_expected_ = plan.user.settles;
  begin_phase(request.timeline, "wait for init");
  TRY(launched.take_stock(request));
  if (!launched.ready_in_silence_)
    TRY(launched.converse(request, may_be_told_first(request, plan)));
  return launched;
}

Result<PreservedFds> preserved_fds(int asked_for) {
  PreservedFds fds;
  const char* count = std::getenv("LISTEN_FDS");
  const char* pid = std::getenv("LISTEN_PID");
  if (count != nullptr && (pid == nullptr || to_number<pid_t>(pid) == sys::own_pid())) {
    fds.listen = to_number<uint32_t>(count).value_or(0);
  }
  constexpr uint32_t kMost = 1 << 16;
  const uint64_t all = uint64_t{fds.listen} + static_cast<uint32_t>(asked_for);
  fds.all = static_cast<uint32_t>(all);
  if (all > kMost) return refuse(cat("--preserve-fds: more than ", kMost, " descriptors"));
  if (all != 0) UniqueFd::close_group();  // what waits in there would look like a plug
  const auto passed = [](uint32_t i) { return sys::is_inherited(Fd(static_cast<int>(3 + i))); };
  const uint32_t wanted = fds.all;
  while (fds.all > 0 && !passed(fds.all - 1)) --fds.all;
  if (fds.all < wanted) fds.missing = 3 + fds.all;
  for (uint32_t i = fds.all; i-- > 0;) {
    if (passed(i)) continue;
    fds.missing = 3 + i;
    // Unless one of ours is there already, close-on-exec: it plugs as well.
    UniqueFd plug = TRY(sys::duplicate_from(Fd(0), static_cast<int>(3 + i)));
    if (plug.raw() == static_cast<int>(3 + i)) fds.plugs.push_back(std::move(plug));
  }
  return fds;
}

Result<UniqueFd> open_console_socket(const std::string& path, bool terminal, bool detached,
                                     Fd connected, int limit_ms) {
  if (connected.valid()) {
    if (!terminal) return UniqueFd();
    return within("console socket", sys::duplicate(connected));
  }
  if (path.empty()) {
    if (terminal && detached) {
      return refuse(
          "process.terminal: cannot allocate a terminal for a detached process without "
          "--console-socket");
    }
    return UniqueFd();
  }
  if (!terminal) return refuse("--console-socket needs process.terminal to be true");
  if (!detached)
    return refuse(
        "--console-socket needs a detached process: an attached one uses our own terminal");
  return within("--console-socket", sys::connect_stream_within(path, limit_ms));
}

}  // namespace ocirt::container
