// A pod whose shim has died: its life goes on from what the shim had written.
//
// The file may be older than the world: an action may have been carried out that it does not
// mention, or have been cut off in the middle. So only what runs is kept, and only if it is the
// very process that was recorded. Everything half made is removed (Remove is repeatable) and, if it
// is still wanted, made anew.
#include <algorithm>
#include <utility>

#include "src/pod/lifecycle.h"

namespace ocirt::pod {

Lifecycle Lifecycle::adopt(const Pod& pod, const State& state, const std::vector<Found>& found,
                           Instant now) {
  Lifecycle life(pod);
  const PodStatus& status = state.status;
  life.begun_ = state.begun_ns;
  life.turn_ = std::min<size_t>(state.turn, pod.containers.size());
  life.launch_answered_ = state.started;  // whoever waited for the answer has lost the connection
  life.started_at_ = status.started_at;
  life.finished_at_ = status.finished_at;
  for (const Condition& condition : status.conditions) {
    if (condition.type == "Initialized" && condition.status) {
      life.initialized_since_ = condition.since;
    }
    if (condition.type == "Ready") {
      life.ready_ = condition.status;
      life.ready_since_ = condition.since;
    }
  }
  if (status.reason) {
    life.stage_ = status.finished_at.empty() ? Stage::kEnding : Stage::kEnded;
    life.stop_ = Stop{*status.reason, state.stop_deadline_ns, status.message};
  } else if (state.started) {
    life.stage_ = Stage::kGoing;
  }
  for (size_t i = 0; i < life.containers_.size() && i < state.containers.size(); ++i) {
    life::Container& container = life.containers_[i];
    const ContainerStatus& told = status.containers[i];
    container.restarts = told.restart_count;
    life.adopt_container(container, told, state.containers[i],
                         i < found.size() ? found[i] : Found{}, now);
  }
  life.settle(now);
  return life;
}

void Lifecycle::adopt_container(life::Container& container, const ContainerStatus& told,
                                const SavedContainer& saved, const Found& found, Instant now) {
  container.attempt = saved.attempt;
  container.ever_started = saved.ever_started;
  container.backoff.next_ms = saved.backoff_ms;
  container.last = saved.last;
  container.before = saved.before;
  const Instance of = instance_of(container);
  const auto remove = [&](std::optional<life::Awaiting> again) {
    container.state = life::Removing{std::move(again)};
    actions_.push_back(Remove{of});
  };
  switch (saved.step) {
    case Step::kIdle:
      container.state = life::Idle{};
      return;
    case Step::kFinished:
      container.state = life::Finished{};
      return;
    case Step::kAwaiting:
      // It may have been asked for since, so that something may exist.
      remove(life::Awaiting{.due = saved.due_ns});
      return;
    case Step::kMaking:
      if (found.alive) {
        actions_.push_back(Kill{of});
        container.state = life::Dying{life::Awaiting{.due = now.ns}};
      } else {
        remove(life::Awaiting{.due = now.ns});
      }
      return;
    case Step::kRemoving:
      if (saved.again) {
        remove(life::Awaiting{.due = saved.due_ns});
      } else {
        remove({});
      }
      return;
    case Step::kRunning:
    case Step::kStopping:
      break;
  }
  life::Live live{.process = told.process, .since = saved.since_ns};
  if (told.state.running) live.started_at = told.state.running->started_at;
  if (saved.post_start) live.post_start.emplace();
  // What it had reached is kept: the shim's end is no fault of the container.
  if (told.started) live.probing(ProbeKind::kStartup).set_verdict(Probing::Verdict::kPassed);
  if (told.ready) live.probing(ProbeKind::kReadiness).set_verdict(Probing::Verdict::kPassed);
  const life::After after = saved.restart_asked ? life::After::kRestart
                            : saved.condemned   ? life::After::kCondemned
                                                : life::After::kPolicy;
  publish(EventType::kAdopted, &container, found.alive ? "running" : "ended", now);
  if (!found.alive) {
    finish(container, live, found.exit.value_or(Exit{.unknown = true}), after, now);
    return;
  }
  if (saved.step == Step::kRunning) {
    // A handler is to run at least once; that it has run cannot be known.
    if (live.post_start) begin_post_start(container, live, now);
    container.state = life::Running{std::move(live)};
    return;
  }
  // That its preStop is over or its signal sent cannot be known either; a second signal does no
  // harm, a second preStop might.
  life::Stopping stopping{.live = std::move(live),
                          .kill_at = saved.kill_at_ns,
                          .last_chance = saved.kill_at_ns > stop_.deadline,
                          .after = after};
  terminate(container, stopping);
  container.state = std::move(stopping);
}

}  // namespace ocirt::pod
