// What the states of a pod's containers call for, at a given time: whose turn it is, who is to be
// ended, which probe is due, and whether the pod has ended.
//
// It is called after every event, looks at everything, and asks for what has not been asked for
// yet. Since a request changes the state of its container, calling it twice does nothing more.
#include <algorithm>

#include "src/base/text.h"
#include "src/container/timestamp.h"
#include "src/pod/lifecycle.h"

namespace ocirt::pod {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

// Deadlines of years are given in seconds: they must not overflow.
int64_t after(int64_t begin, uint64_t seconds) {
  return begin + static_cast<int64_t>(std::min<uint64_t>(seconds, uint64_t{1} << 32)) * kSecond;
}

}  // namespace

void Lifecycle::settle(Instant now) {
  if (stage_ == Stage::kCreated || stage_ == Stage::kEnded) return;
  if (stage_ == Stage::kGoing && pod_->active_deadline_seconds &&
      now.ns >= after(begun_, *pod_->active_deadline_seconds)) {
    begin_stop(StopReason::kDeadlineExceeded, after(now.ns, pod_->grace_seconds),
               cat("the pod was active for ", *pod_->active_deadline_seconds, " seconds"), now);
  }
  // What begins to hold by the passing of time comes first: others may wait for it.
  for (life::Container& container : containers_) wake(container, now);
  if (stage_ == Stage::kGoing) take_turns(now);
  if (stage_ == Stage::kEnding) stop_in_order(now);
  for (life::Container& container : containers_) do_what_is_due(container, now);
  report(now);
}

// ---- beginning ----------------------------------------------------------------------------------

// Init containers one after the other, each to its success; a sidecar only until it has started.
// Then all apps at once. A turn that has passed does not come again: a sidecar that fails later is
// restarted, and nobody waits for it any more.
void Lifecycle::take_turns(Instant now) {
  for (; turn_ < containers_.size(); ++turn_) {
    life::Container& container = containers_[turn_];
    if (container.spec->role == Role::kApp) break;
    if (container.in<life::Idle>() != nullptr) create(container);
    if (container.spec->role == Role::kSidecar) {
      if (!container.started()) return;
      continue;
    }
    if (!container.finished()) return;
    if (container.succeeded()) continue;
    begin_stop(StopReason::kInitFailed, after(now.ns, pod_->grace_seconds),
               cat("init container ", container.spec->name, " failed: ",
                   container.last->message.empty() ? cat("exit code ", container.last->exit_code)
                                                   : container.last->message),
               now);
    return;
  }
  if (initialized_since_.empty()) initialized_since_ = container::rfc3339(now.wall);
  for (size_t i = turn_; i < containers_.size(); ++i) {
    if (containers_[i].in<life::Idle>() != nullptr) create(containers_[i]);
  }
  if (all_finished(true)) {
    begin_stop(StopReason::kCompleted, after(now.ns, pod_->grace_seconds), "", now);
  }
}

// ---- ending -------------------------------------------------------------------------------------

void Lifecycle::begin_stop(StopReason reason, int64_t deadline, std::string message, Instant now) {
  const std::string_view word = oci::to_string(reason);
  stage_ = Stage::kEnding;
  fail_launch(cat("the pod ends before its containers have been started: ",
                  message.empty() ? word : std::string_view(message)));
  publish(EventType::kStopping, nullptr,
          message.empty() ? std::string(word) : cat(word, ": ", message), now);
  stop_ = Stop{reason, deadline, std::move(message), deadline <= now.ns};
}

// Apps and init containers at once; when they are gone, the sidecars from the last to the first,
// so that each has those before it for as long as it lives, as it had them when it began.
void Lifecycle::stop_in_order(Instant now) {
  for (life::Container& container : containers_) {
    if (container.in<life::Idle>() != nullptr || container.in<life::Awaiting>() != nullptr) {
      container.state = life::Finished{};
    }
  }
  bool others = false;
  for (life::Container& container : containers_) {
    if (container.spec->role == Role::kSidecar || container.finished()) continue;
    others = true;
    stop_container(container, now);
  }
  // When the grace period is over, nobody is waited for.
  const bool at_once = now.ns >= stop_.deadline;
  if (others && !at_once) return;
  for (size_t i = containers_.size(); i-- > 0;) {
    life::Container& container = containers_[i];
    if (container.spec->role != Role::kSidecar || container.finished()) continue;
    stop_container(container, now);
    if (!at_once) return;
  }
}

void Lifecycle::stop_container(life::Container& container, Instant now) {
  begin_stopping(container, stop_.deadline, life::After::kPolicy, "the pod ends", now);
  if (auto* stopping = container.in<life::Stopping>()) {
    const bool more = stopping->last_chance && !stop_.at_once;
    stopping->kill_at =
        std::min(stopping->kill_at, stop_.deadline + (more ? life::kLastChance : 0));
  } else if (auto* starting = container.in<life::Starting>()) {
    // Its start is answered first; a start that hangs is killed with the rest.
    if (now.ns >= stop_.deadline) kill(container, starting->killed);
  }
}

// ---- times --------------------------------------------------------------------------------------

void Lifecycle::wake(life::Container& container, Instant now) {
  const auto is_over = [&](const std::optional<life::Handling>& handling) {
    return handling && handling->sleeps_until && now.ns >= *handling->sleeps_until;
  };
  if (const auto* running = container.in<life::Running>()) {
    if (is_over(running->live.post_start)) post_start_done(container, true, "", now);
  } else if (auto* stopping = container.in<life::Stopping>()) {
    if (is_over(stopping->pre_stop)) terminate(container, *stopping);
  }
}

void Lifecycle::do_what_is_due(life::Container& container, Instant now) {
  if (const auto* awaiting = container.in<life::Awaiting>()) {
    if (now.ns >= awaiting->due) create(container);
  } else if (auto* running = container.in<life::Running>()) {
    ask_probes(container, running->live, now);
  } else if (auto* stopping = container.in<life::Stopping>()) {
    if (now.ns < stopping->kill_at) return;
    // Its preStop handler has had all of the grace period.
    if (stopping->pre_stop && (stage_ != Stage::kEnding || !stop_.at_once)) {
      give_last_chance(container, *stopping, now);
    } else {
      kill(container, stopping->killed);
    }
  }
}

// Startup first and alone; when it has succeeded, the other two.
void Lifecycle::ask_probes(life::Container& container, life::Live& live, Instant now) {
  if (live.post_start) return;
  for (ProbeKind kind : kProbeKinds) {
    const Probe* probe = probe_of(*container.spec, kind);
    if (probe == nullptr || container.started() == (kind == ProbeKind::kStartup)) continue;
    Probing& probing = live.probing(kind);
    if (!probing.is_due(*probe, live.since, now.ns)) continue;
    probing.ask(now.ns);
    actions_.push_back(RunProbe{instance_of(container), kind});
  }
}

std::optional<int64_t> Lifecycle::due(const life::Container& container) const {
  std::optional<int64_t> first;
  const auto at = [&](int64_t time) { first = first ? std::min(*first, time) : time; };
  if (const auto* awaiting = container.in<life::Awaiting>()) {
    at(awaiting->due);
  } else if (const auto* starting = container.in<life::Starting>()) {
    if (stage_ == Stage::kEnding && !starting->killed) at(stop_.deadline);
  } else if (const auto* running = container.in<life::Running>()) {
    const life::Live& live = running->live;
    if (live.post_start) {
      if (live.post_start->sleeps_until) at(*live.post_start->sleeps_until);
      return first;
    }
    for (ProbeKind kind : kProbeKinds) {
      const Probe* probe = probe_of(*container.spec, kind);
      if (probe == nullptr || container.started() == (kind == ProbeKind::kStartup)) continue;
      const Probing& probing = live.probing(kind);
      if (!probing.is_asked()) at(probing.due(*probe, live.since));
    }
  } else if (const auto* stopping = container.in<life::Stopping>()) {
    if (stopping->pre_stop && stopping->pre_stop->sleeps_until) {
      at(*stopping->pre_stop->sleeps_until);
    }
    if (!stopping->killed) at(stopping->kill_at);
  }
  return first;
}

std::optional<int64_t> Lifecycle::deadline() const {
  if (stage_ == Stage::kCreated || stage_ == Stage::kEnded) return {};
  std::optional<int64_t> first;
  for (const life::Container& container : containers_) {
    const std::optional<int64_t> time = due(container);
    if (time && (!first || *time < *first)) first = time;
  }
  if (stage_ == Stage::kGoing && pod_->active_deadline_seconds) {
    const int64_t time = after(begun_, *pod_->active_deadline_seconds);
    if (!first || time < *first) first = time;
  }
  return first;
}

// ---- the pod as a whole -------------------------------------------------------------------------

bool Lifecycle::all_finished(bool apps_only) const {
  return std::all_of(containers_.begin(), containers_.end(), [&](const life::Container& one) {
    return one.finished() || (apps_only && one.spec->role != Role::kApp);
  });
}

bool Lifecycle::is_initialized() const { return !initialized_since_.empty(); }

bool Lifecycle::is_ready() const {
  return stage_ == Stage::kGoing && is_initialized() &&
         std::all_of(containers_.begin(), containers_.end(),
                     [](const life::Container& one) { return one.ready(); });
}

void Lifecycle::report(Instant now) {
  const auto launched = [](const life::Container& one) {
    return one.spec->role != Role::kApp || one.ever_started;
  };
  if (!launch_answered_ && std::all_of(containers_.begin(), containers_.end(), launched)) {
    launch_answered_ = true;
    actions_.push_back(Launched{});
  }
  if (is_ready() != ready_) {
    ready_ = !ready_;
    ready_since_ = container::rfc3339(now.wall);
    publish(ready_ ? EventType::kReady : EventType::kNotReady, nullptr, "", now);
  }
  if (stage_ == Stage::kEnding && all_finished(false)) {
    stage_ = Stage::kEnded;
    finished_at_ = container::rfc3339(now.wall);
    publish(EventType::kEnded, nullptr, std::string(oci::to_string(status().phase)), now);
    actions_.push_back(Ended{});
  }
}

}  // namespace ocirt::pod
