// What a pod's life tells of itself: the status for people and the state for a shim that adopts.
#include <algorithm>

#include "src/pod/lifecycle.h"

namespace ocirt::pod {
namespace {

using life::Awaiting;

ContainerState terminated(const Terminated& end) {
  return {.waiting = {}, .running = {}, .terminated = end};
}

ContainerState waiting(WaitingReason reason, std::string message = {}) {
  return {.waiting = Waiting{reason, std::move(message)}, .running = {}, .terminated = {}};
}

ContainerState running(const life::Live& live) {
  return {.waiting = {}, .running = Running{live.started_at}, .terminated = {}};
}

ContainerState state_of(const life::Container& container) {
  if (container.in<life::Idle>() != nullptr) return waiting(WaitingReason::kPodInitializing);
  if (const auto* is = container.in<Awaiting>()) return waiting(is->reason, is->message);
  if (const auto* is = container.in<life::Running>()) return running(is->live);
  if (const auto* is = container.in<life::Stopping>()) return running(is->live);
  if (container.in<life::Creating>() != nullptr || container.in<life::Starting>() != nullptr) {
    return waiting(WaitingReason::kContainerCreating);
  }
  if (container.last) return terminated(*container.last);
  return waiting(WaitingReason::kNotStarted);
}

ContainerStatus status_of(const life::Container& container) {
  ContainerStatus status{.name = container.spec->name,
                         .role = container.spec->role,
                         .state = state_of(container),
                         .restart_count = container.restarts,
                         .started = container.started(),
                         .ready = container.ready(),
                         .stopping = container.in<life::Stopping>() != nullptr};
  status.last_terminated = status.state.terminated ? container.before : container.last;
  if (const auto* is = container.in<life::Starting>()) status.process = is->process;
  if (const auto* is = container.in<life::Running>()) status.process = is->live.process;
  if (const auto* is = container.in<life::Stopping>()) status.process = is->live.process;
  return status;
}

void save_awaiting(SavedContainer& saved, const std::optional<Awaiting>& again) {
  saved.again = again.has_value();
  if (again) saved.due_ns = again->due;
}

void save_live(SavedContainer& saved, const life::Live& live) {
  saved.since_ns = live.since;
  saved.post_start = live.post_start.has_value();
}

SavedContainer saved_container(const life::Container& container) {
  SavedContainer saved{.attempt = container.attempt,
                       .ever_started = container.ever_started,
                       .backoff_ms = container.backoff.next_ms,
                       .last = container.last,
                       .before = container.before};
  if (container.in<life::Idle>() != nullptr) {
    saved.step = Step::kIdle;
  } else if (container.finished()) {
    saved.step = Step::kFinished;
  } else if (const auto* awaiting = container.in<Awaiting>()) {
    saved.step = Step::kAwaiting;
    saved.due_ns = awaiting->due;
  } else if (const auto* running = container.in<life::Running>()) {
    saved.step = Step::kRunning;
    save_live(saved, running->live);
  } else if (const auto* stopping = container.in<life::Stopping>()) {
    saved.step = Step::kStopping;
    save_live(saved, stopping->live);
    saved.kill_at_ns = stopping->kill_at;
    saved.condemned = stopping->after == life::After::kCondemned;
    saved.restart_asked = stopping->after == life::After::kRestart;
  } else if (const auto* removing = container.in<life::Removing>()) {
    saved.step = Step::kRemoving;
    save_awaiting(saved, removing->again);
  } else if (const auto* dying = container.in<life::Dying>()) {
    saved.step = Step::kRemoving;
    save_awaiting(saved, dying->again);
  } else {
    saved.step = Step::kMaking;
  }
  return saved;
}

}  // namespace

// Kubernetes' rule, but for a pod that is stopped: it has no phase for that, and the kubelet also
// lets the exit codes decide.
Phase Lifecycle::phase() const {
  const auto of_apps = [&](auto holds) {
    return std::all_of(containers_.begin(), containers_.end(), [&](const life::Container& one) {
      return one.spec->role != Role::kApp || holds(one);
    });
  };
  if (stage_ == Stage::kEnded) {
    const bool good = stop_.reason != StopReason::kDeadlineExceeded &&
                      of_apps([](const life::Container& app) { return app.succeeded(); });
    return good ? Phase::kSucceeded : Phase::kFailed;
  }
  const bool all_begun = of_apps([](const life::Container& app) { return app.ever_started; });
  return all_begun ? Phase::kRunning : Phase::kPending;
}

PodStatus Lifecycle::status() const {
  PodStatus status{.name = pod_->name, .uid = pod_->uid, .phase = phase(), .reason = {}};
  if (stage_ == Stage::kEnding || stage_ == Stage::kEnded) {
    status.reason = stop_.reason;
    status.message = stop_.message;
  }
  status.started_at = started_at_;
  status.finished_at = finished_at_;
  // Ready is the same as ContainersReady: nobody else has a say here.
  status.conditions = {{"Initialized", is_initialized(), initialized_since_},
                       {"ContainersReady", ready_, ready_since_},
                       {"Ready", ready_, ready_since_}};
  status.containers.reserve(containers_.size());
  for (const life::Container& one : containers_) status.containers.push_back(status_of(one));
  return status;
}

State Lifecycle::state() const {
  State state{.status = status(),
              .started = stage_ != Stage::kCreated,
              .begun_ns = begun_,
              .turn = static_cast<uint32_t>(turn_),
              .stop_deadline_ns = stop_.deadline};
  state.containers.reserve(containers_.size());
  for (const life::Container& one : containers_) state.containers.push_back(saved_container(one));
  return state;
}

}  // namespace ocirt::pod
