#include "src/container/launch.h"

#include <sched.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <tuple>
#include <utility>

#include "oci-spec/documents.h"
#include "src/base/text.h"
#include "src/container/hooks.h"
#include "src/container/status.h"
#include "src/container/user_namespace.h"
#include "src/plan/protocol.h"
#include "src/sys/file.h"
#include "src/sys/namespace.h"
#include "src/sys/process.h"
#include "src/sys/signals.h"
#include "src/sys/socket.h"

// The init program, embedded by init_image.S.
extern "C" const char ocirt_init_image[];
extern "C" const size_t ocirt_init_image_size;

namespace ocirt::container {

struct Heard {
  plan::Header header{};
  std::string text;
  UniqueFd fd;
};

namespace {

constexpr size_t kPage = 4096;  // mmap(2) wants the plan at a page's begin

constexpr size_t kMostInMessage = sizeof(plan::Header) + plan::kMostText;

// Nothing: the other side has closed.
Result<std::optional<Heard>> understand(sys::Message message) {
  if (message.bytes.empty()) return std::nullopt;
  Heard heard;
  if (message.bytes.size() < sizeof heard.header) return refuse("init: spoke in fragments");
  std::memcpy(&heard.header, message.bytes.data(), sizeof heard.header);
  heard.text = message.bytes.substr(sizeof heard.header);
  if (!message.fds.empty()) heard.fd = std::move(message.fds.front());
  return heard;
}

Result<> say(Fd channel, plan::Word word, Fd attached = {}, uint32_t ignored_signals = 0) {
  plan::Header header{word};
  header.ignored_signals = ignored_signals;
  return sys::send_message(channel, {reinterpret_cast<const char*>(&header), sizeof header},
                           attached);
}

std::unexpected<Error> failure(Heard heard) {
  if (heard.header.error == 0) return refuse(std::move(heard.text));
  return os_error(heard.text, heard.header.error);
}

// Init has gone without a word: how it ended is all that can be said.
std::unexpected<Error> silent_end(Fd pidfd, bool of_parent) {
  Result<std::optional<sys::ExitStatus>> ended = sys::end_of(pidfd, of_parent);
  if (!ended) return std::unexpected(std::move(ended).error());
  const std::optional<sys::ExitStatus>& status = *ended;
  if (!status) {
    return refuse(
        "init ended before it was ready: killed by the kernel if its memory limit is too low, or "
        "by "
        "kill or delete");
  }
  if (status->signal == SIGKILL) {
    return refuse(
        "init was killed before it was ready: by the kernel if its memory limit is too low, or by "
        "kill or delete");
  }
  if (status->signal != 0)
    return refuse(cat("init was killed by signal ", status->signal, " before it was ready"));
  return refuse(cat("init ended with status ", status->code, " before it was ready"));
}

Result<UniqueFd> run_create_hooks(const LaunchRequest& request) {
  if (request.hooks == nullptr || !*request.hooks) return UniqueFd();
  const oci::Hooks& hooks = **request.hooks;
  std::string state = oci::write(state_of(*request.record, oci::Status::kCreating), false);
  TRY(run_hooks(hooks.prestart, state, "prestart", request.record->annotations));
  TRY(run_hooks(hooks.create_runtime, state, "createRuntime", request.record->annotations));
  if (hooks.create_container.empty()) return UniqueFd();
  oci::State inside = TRY(state_inside(*request.record, oci::Status::kCreating));
  return state_file(oci::write(inside, false));
}

Result<> route_listener(Fd channel, const Heard& heard, const ListenerRoute& route) {
  if (!route.agent || !heard.fd.valid())
    return refuse("init sent a seccomp listener that nobody asked for");
  TRY(hand_to_agent(*route.agent, heard.fd, route.pid, route.state));
  return say(channel, plan::Word::listener_done);
}

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

Error killed_before_program() {
  return {EPIPE, "init was killed before it could execute the program"};
}

// What was said to a process that has ended.
bool is_gone(const Error& error) { return error.code == EPIPE || error.code == ECONNRESET; }

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

  // Program and plan in one sealed file: nobody, root in the container included, can change them.
  const std::string& block = draft.builder.finish();
  const size_t offset = (ocirt_init_image_size + kPage - 1) / kPage * kPage;
  const std::string padding(offset - ocirt_init_image_size, '\0');
  // Where we execute nothing else, nothing else can inherit it: then init need not be let have it.
  const bool alone = !hooked && request.unit == nullptr && request.unit_entrance == nullptr &&
                     plan.process.preserved_fds == 0 && !plan.hooks_outside;
  UniqueFd program = TRY(sys::sealed_memory(
      "ocirt-init", {{ocirt_init_image, ocirt_init_image_size}, padding, block}, true, alone));
  const std::string where = cat(program.raw(), ":", offset, ":", block.size());
  const char* const argv[] = {"ocirt-init", where.c_str(), nullptr};
  const char* const envp[] = {nullptr};

  std::vector<int> keep = {theirs.raw()};
  if (!alone) keep.push_back(program.raw());
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
  if (request.new_devices != nullptr) {
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
  if (may_be_told_first(request, plan)) {
    Result<> said = launched.say_start({});
    if (!said && !is_gone(said.error())) return std::unexpected(said.error());  // or it says why
  }
  if (!launched.ready_in_silence_) TRY(launched.converse(request));
  return launched;
}

Result<> Launched::take_stock(const LaunchRequest& request) {
  // A successor ignores what init did, and an exec's start time is recorded nowhere.
  if (!is_exec_ || !ignored_signals_) {
    if (std::optional<sys::ProcessStat> stat = TRY(sys::process_stat(pid()))) {
      ignored_signals_ = static_cast<uint32_t>(stat->ignored_signals);
      if (!is_exec_) request.record->start_time = stat->start_time;
    }
  }
  if (!is_exec_) request.record->pid = pid();
  if (request.record->resctrl) {
    TRY(within("linux.intelRdt", resctrl::enter(*request.record->resctrl, pid())));
  }
  if (request.agent) {
    const oci::Status status = is_exec_ ? oci::Status::kRunning : oci::Status::kCreating;
    route_ = {request.agent, pid(), state_of(*request.record, status)};
  }
  return {};
}

// Init goes on in a child of its own, which is ours like itself (CLONE_PARENT), and has ended.
Result<> Launched::follow(const LaunchRequest& request, pid_t successor) {
  // The channel may be in the hands of a process that traces the successor: only a child of ours is
  // believed, and one that is not reaped keeps its number.
  if (successor <= 0) return refuse("init named no successor");
  (void)sys::end_of(child_.pidfd, of_parent_);
  const bool forgets = is_exec_ && request.signals_blocked;
  if (forgets) sys::forget_child_signal();
  Result<UniqueFd> opened = sys::pidfd_open(successor);
  if (!opened && start_said_) sys::kill_child(successor);  // it waits for nobody
  UniqueFd pidfd = TRY(std::move(opened));
  bool is_ours = false;
  if (of_parent_) {
    std::optional<sys::ProcessStat> stat = TRY(sys::process_stat(successor));
    is_ours = stat && stat->parent == sys::own_parent();
  } else {
    const sys::Kinship kinship = sys::kinship(pidfd);
    is_ours = kinship != sys::Kinship::none;
    // Two ends make one signal: what was forgotten may have been this one's.
    if (forgets && kinship == sys::Kinship::ended_child) sys::remember_child_signal();
  }
  if (!is_ours) return refuse("init named a process as its successor that is not a child of ours");
  child_.pid = successor;
  child_.pidfd.close_later();
  child_.pidfd = std::move(pidfd);
  TRY(take_stock(request));
  if (request.enter_late) TRY(within("cgroup", cgroup::enter(*request.entrance, child_.pid)));
  if (ready_by_moving_) return {};
  return say(channel_, plan::Word::followed);
}

// Listens to init until it is ready; one that has been told to start, to the end.
Result<> Launched::converse(const LaunchRequest& request) {
  // What Start was said to waits for nothing any more: Executing, Moved and the end in one call.
  // The others are heard one by one, and may want an answer.
  const size_t at_once = start_said_ ? 3 : 1;
  for (;;) {
    // A process that is killed between making its successor and naming it leaves it the channel.
    if (successor_expected_ && !start_said_ && !TRY(sys::wait_until_heard(channel_, child_.pidfd)))
      return silent_end(child_.pidfd, of_parent_);
    for (sys::Message& message : TRY(sys::receive_messages(channel_, at_once, kMostInMessage))) {
      std::optional<Heard> heard = TRY(understand(std::move(message)));
      if (!heard) return end_of_conversation();
      if (TRY(understand_word(request, std::move(*heard)))) return {};
    }
  }
}

// Init, or the program in its place, has closed the channel.
Result<> Launched::end_of_conversation() {
  if (!start_said_ || (successor_expected_ && !executing_))
    return silent_end(child_.pidfd, of_parent_);
  if (successor_expected_) return refuse("init was killed before it could name its successor");
  if (!executing_) return std::unexpected(killed_before_program());
  program_runs_ = true;
  return {};
}

// True: init is ready, and waits for what the caller says.
Result<bool> Launched::understand_word(const LaunchRequest& request, Heard heard) {
  switch (heard.header.word) {
    case plan::Word::console:
      console_ = std::move(heard.fd);
      return false;
    // Each at most once, and only when the plan has it: a process that others can trace speaks
    // here.
    case plan::Word::at_hooks: {
      if (!std::exchange(hooks_expected_, false)) break;
      if (request.net_devices != nullptr) TRY(request.net_devices->move_in(pid()));
      UniqueFd state = TRY(run_create_hooks(request));
      TRY(say(channel_, plan::Word::hooks_done, state));
      return false;
    }
    case plan::Word::moved:
      if (!std::exchange(successor_expected_, false)) break;
      TRY(follow(request, heard.header.pid));
      if (!ready_by_moving_ || start_said_) return false;
      TRY(apply_scheduling(pid(), request.draft->scheduling));
      return true;
    case plan::Word::unmapped:
      if (!std::exchange(settling_expected_, false)) break;
      TRY(settle_user_namespace(pid(), *request.draft));
      TRY(say(channel_, plan::Word::mapped));
      return false;
    case plan::Word::fetch: {
      UniqueFd source = TRY(fetch_source(pid(), *request.draft, heard.header.number));
      TRY(say(channel_, plan::Word::fetched, source));
      return false;
    }
    case plan::Word::listener:
      TRY(route_listener(channel_, heard, route_));
      return false;
    case plan::Word::ready:
      TRY(apply_scheduling(pid(), request.draft->scheduling));
      return true;
    case plan::Word::executing:
      if (!start_said_ || std::exchange(executing_, true)) break;
      return false;
    case plan::Word::failed:
      return failure(std::move(heard));
    default:
      break;
  }
  return refuse("init said something out of order");
}

Launched::~Launched() {
  if (released_ || !child_.pidfd.valid()) return;
  // What was told to start goes on without being named.
  if (start_said_ && successor_expected_) sys::kill_children_after(child_.pid);
  (void)sys::send_signal(child_.pidfd, SIGKILL);
  // One in a cgroup that was frozen meanwhile ends when that is removed, and by v1 not before.
  constexpr int kPatienceMs = 2000;
  Result<bool> ended = sys::wait_until_ended(child_.pidfd, kPatienceMs);
  if (ended && *ended) (void)sys::end_of(child_.pidfd, of_parent_);
}

Result<> Launched::commit() {
  return say(channel_, plan::Word::commit, {}, ignored_signals_.value_or(0));
}

Result<> Launched::say_start(Fd state) {
  start_said_ = true;
  return say(channel_, plan::Word::start, state, ignored_signals_.value_or(0));
}

Result<> Launched::start(Fd state) {
  if (program_runs_) {
    if (timeline_ != nullptr) timeline_->end_of_init();
    return {};
  }
  begin_phase(timeline_, "start");
  Result<> said = start_said_ ? Result<>{} : say_start(state);
  // One that has failed by now is not there to hear it, but has said why.
  if (!ready_in_silence_ || said || !is_gone(said.error())) TRY(std::move(said));
  Result<> done = program_runs(channel_, route_);
  if (!done && ready_in_silence_ && done.error().code == EPIPE)
    done = silent_end(child_.pidfd, of_parent_);
  if (timeline_ != nullptr) timeline_->end_of_init();
  return done;
}

Result<> program_runs(Fd channel, const ListenerRoute& route) {
  // Two words at a time, since Executing is always followed: unless init waits for our answer.
  const size_t at_once = route.agent ? 1 : 2;
  for (bool executing = false;;) {
    for (sys::Message& message : TRY(sys::receive_messages(channel, at_once, kMostInMessage))) {
      std::optional<Heard> heard = TRY(understand(std::move(message)));
      if (!heard && executing) return {};
      if (!heard) return std::unexpected(killed_before_program());
      switch (heard->header.word) {
        case plan::Word::failed:
          return failure(std::move(*heard));
        case plan::Word::listener:
          TRY(route_listener(channel, *heard, route));
          break;
        case plan::Word::executing:
          executing = true;
          break;
        default:
          return refuse("init said something out of order");
      }
    }
  }
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
