// The conversation with init (plan/protocol.h), from its first word to its last.
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "oci-spec/documents.h"
#include "src/base/text.h"
#include "src/container/hooks.h"
#include "src/container/launch.h"
#include "src/container/status.h"
#include "src/container/user_namespace.h"
#include "src/plan/protocol.h"
#include "src/sys/process.h"
#include "src/sys/signals.h"
#include "src/sys/socket.h"

namespace ocirt::container {

struct Heard {
  plan::Header header{};
  std::string text;
  UniqueFd fd;
};

namespace {

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
  return sys::process_error(heard.text, heard.header.error);
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

Error killed_before_program() {
  return {EPIPE, "init was killed before it could execute the program"};
}

// What was said to a process that has ended.
bool is_gone(const Error& error) { return error.code == EPIPE || error.code == ECONNRESET; }

}  // namespace

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
Result<> Launched::converse(const LaunchRequest& request, bool told_first) {
  if (told_first) {
    Result<> said = say_start({});
    if (!said && !is_gone(said.error())) return said;  // or it says why
  }
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
  Result<> done;
  if (!program_runs_) {
    begin_phase(timeline_, "start");
    Result<> said = say_start(state);
    // One that has failed by now is not there to hear it, but has said why.
    if (!ready_in_silence_ || said || !is_gone(said.error())) TRY(std::move(said));
    done = program_runs(channel_, route_);
    if (!done && ready_in_silence_ && done.error().code == EPIPE)
      done = silent_end(child_.pidfd, of_parent_);
  }
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

}  // namespace ocirt::container
