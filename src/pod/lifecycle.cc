// Events of a pod's life: each changes the state of one container, then everything is settled.
#include "src/pod/lifecycle.h"

#include <bit>
#include <utility>

#include "src/base/text.h"
#include "src/container/timestamp.h"

namespace ocirt::pod {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kMillisecond = 1'000'000;
// What a shell and Kubernetes say of a program that could not be executed at all.
constexpr int32_t kNotExecuted = 128;

std::string how(Exit exit, bool oom) {
  if (exit.unknown) return "ended while nobody watched, exit code unknown";
  if (exit.signal != 0) {
    return cat("killed by signal ", exit.signal, oom ? ", out of memory" : "");
  }
  return cat("exit code ", exit.code, oom && exit.code != 0 ? ", out of memory" : "");
}

// `from` to `now` in milliseconds; a clock that was moved does not make it negative.
uint64_t elapsed_ms(int64_t from, int64_t now) {
  return now > from ? static_cast<uint64_t>((now - from) / kMillisecond) : 0;
}

}  // namespace

Lifecycle::Lifecycle(const Pod& pod) : pod_(&pod) {
  containers_.resize(pod.containers.size());
  for (size_t i = 0; i < containers_.size(); ++i) containers_[i].spec = &pod.containers[i];
}

// The container that an answer is about; nullptr when it is about an instance that is gone.
life::Container* Lifecycle::current(Instance of) {
  if (of.container >= containers_.size()) return nullptr;
  life::Container& container = containers_[of.container];
  return container.attempt == of.attempt ? &container : nullptr;
}

Instance Lifecycle::instance_of(const life::Container& container) const {
  return {static_cast<uint32_t>(&container - containers_.data()), container.attempt};
}

std::vector<Action> Lifecycle::take_actions() { return std::exchange(actions_, {}); }

void Lifecycle::publish(EventType type, const life::Container* container, std::string message,
                        Instant now, std::optional<int32_t> exit_code) {
  Event event{.time = container::rfc3339(now.wall),
              .pod = pod_->name,
              .container = container != nullptr ? container->spec->name : std::string(),
              .type = type,
              .message = std::move(message),
              .exit_code = exit_code};
  actions_.push_back(Publish{std::move(event)});
}

void Lifecycle::fail_launch(std::string text) {
  if (launch_answered_) return;
  launch_answered_ = true;
  actions_.push_back(LaunchFailed{std::move(text)});
}

// ---- into being ---------------------------------------------------------------------------------

void Lifecycle::start(Instant now) {
  if (stage_ != Stage::kCreated) return;
  stage_ = Stage::kGoing;
  begun_ = now.ns;
  started_at_ = container::rfc3339(now.wall);
  publish(EventType::kStarting, nullptr, "", now);
  settle(now);
}

void Lifecycle::create(life::Container& container) {
  ++container.attempt;
  container.state = life::Creating{};
  actions_.push_back(Create{instance_of(container)});
}

void Lifecycle::created(Instance of, Process process, Instant now) {
  life::Container* container = current(of);
  const life::Creating* creating = container != nullptr ? container->in<life::Creating>() : nullptr;
  if (creating == nullptr) return;
  const std::optional<Exit> exit = creating->exit;
  if (container->last) ++container->restarts;
  publish(EventType::kCreated, container, "", now);
  if (stage_ != Stage::kEnding) {
    actions_.push_back(Start{of});
    container->state = life::Starting{.process = process, .exit = exit};
  } else if (exit) {  // nobody would ever hear that it has died
    actions_.push_back(Remove{of});
    container->state = life::Removing{};
  } else {
    actions_.push_back(Kill{of});
    container->state = life::Dying{};
  }
  settle(now);
}

void Lifecycle::create_failed(Instance of, std::string_view why, Instant now) {
  life::Container* container = current(of);
  if (container == nullptr || container->in<life::Creating>() == nullptr) return;
  publish(EventType::kFailed, container, cat("cannot be created: ", why), now);
  fail_launch(cat("container ", container->spec->name, ": ", why));
  if (is_restarted(container->spec->role, container->spec->restart, false, false)) {
    // It never was, so that there is no end to record; the status shows what it waits for.
    const uint32_t wait_ms = container->backoff.take_after_error(*pod_);
    container->state = life::Awaiting{.due = now.ns + wait_ms * kMillisecond,
                                      .reason = WaitingReason::kCreateContainerError,
                                      .message = std::string(why)};
  } else {
    record_end(*container, {.exit_code = kNotExecuted,
                            .reason = EndReason::kCreateContainerError,
                            .message = std::string(why),
                            .finished_at = container::rfc3339(now.wall)});
    container->state = life::Finished{};
  }
  settle(now);
}

void Lifecycle::started(Instance of, Instant now) {
  life::Container* container = current(of);
  life::Starting* starting = container != nullptr ? container->in<life::Starting>() : nullptr;
  if (starting == nullptr) return;
  life::Live live{.process = starting->process,
                  .since = now.ns,
                  .started_at = container::rfc3339(now.wall),
                  .oom = starting->oom};
  const std::optional<Exit> exit = starting->exit;
  const bool killed = starting->killed;
  container->ever_started = true;
  publish(EventType::kStarted, container, "", now);
  if (exit) {
    finish(*container, live, *exit, life::After::kPolicy, now);
  } else if (killed) {
    container->state = life::Stopping{.live = std::move(live), .killed = true, .kill_at = now.ns};
  } else {
    if (container->spec->post_start) begin_post_start(*container, live, now);
    container->state = life::Running{std::move(live)};
  }
  settle(now);
}

void Lifecycle::start_failed(Instance of, std::string_view why, Instant now) {
  life::Container* container = current(of);
  life::Starting* starting = container != nullptr ? container->in<life::Starting>() : nullptr;
  if (starting == nullptr) return;
  const bool has_ended = starting->exit.has_value();
  publish(EventType::kFailed, container, cat("cannot be started: ", why), now);
  fail_launch(cat("container ", container->spec->name, ": ", why));
  record_end(*container, {.exit_code = kNotExecuted,
                          .reason = EndReason::kStartError,
                          .message = std::string(why),
                          .finished_at = container::rfc3339(now.wall)});
  std::optional<life::Awaiting> again = next_life(*container, false, 0, now);
  if (again) {
    again->reason = WaitingReason::kRunContainerError;
    again->message = why;
  }
  if (has_ended) {
    container->state = life::Removing{std::move(again)};
    actions_.push_back(Remove{of});
  } else {
    container->state = life::Dying{std::move(again)};
    actions_.push_back(Kill{of});
  }
  settle(now);
}

// ---- while it runs ------------------------------------------------------------------------------

void Lifecycle::probed(Instance of, ProbeKind kind, bool success, std::string_view text,
                       Instant now) {
  life::Container* container = current(of);
  life::Running* running = container != nullptr ? container->in<life::Running>() : nullptr;
  const Probe* probe = running != nullptr ? probe_of(*container->spec, kind) : nullptr;
  if (probe == nullptr || !running->live.probing(kind).is_asked()) return;
  Probing& probing = running->live.probing(kind);
  const Probing::Verdict verdict = probing.answer(*probe, success);
  const uint32_t failures = success ? 0 : probing.in_a_row();
  // Every one of those that count. A probe that goes on failing is told of ever more rarely.
  if (failures != 0 && (failures <= probe->failure_threshold || std::has_single_bit(failures))) {
    publish(EventType::kUnhealthy, container, cat(oci::to_string(kind), " probe failed: ", text),
            now);
    std::get<Publish>(actions_.back()).event.count = failures;
  }
  if (verdict == Probing::Verdict::kFailed && kind != ProbeKind::kReadiness) {
    const uint32_t grace = probe->termination_grace_seconds.value_or(pod_->grace_seconds);
    begin_stopping(*container, now.ns + grace * kSecond, life::After::kCondemned,
                   cat("its ", oci::to_string(kind), " probe failed"), now);
  }
  settle(now);
}

void Lifecycle::begin_post_start(life::Container& container, life::Live& live, Instant now) {
  live.post_start.emplace();
  if (const std::optional<uint32_t>& seconds = container.spec->post_start->sleep_seconds) {
    live.post_start->sleeps_until = now.ns + *seconds * kSecond;
  } else {
    actions_.push_back(RunHandler{instance_of(container), HandlerKind::kPostStart});
  }
}

void Lifecycle::post_start_done(life::Container& container, bool success, std::string_view text,
                                Instant now) {
  life::Live& live = container.in<life::Running>()->live;
  live.post_start.reset();
  if (success) return;
  publish(EventType::kFailedPostStartHook, &container, std::string(text), now);
  begin_stopping(container, now.ns + pod_->grace_seconds * kSecond, life::After::kCondemned,
                 "its postStart handler failed", now);
}

void Lifecycle::handled(Instance of, HandlerKind kind, bool success, std::string_view text,
                        Instant now) {
  life::Container* container = current(of);
  if (container == nullptr) return;
  if (kind == HandlerKind::kPostStart) {
    life::Running* running = container->in<life::Running>();
    if (running == nullptr || !running->live.post_start) return;
    post_start_done(*container, success, text, now);
  } else {
    life::Stopping* stopping = container->in<life::Stopping>();
    if (stopping == nullptr || !stopping->pre_stop) return;
    if (!success) publish(EventType::kFailedPreStopHook, container, std::string(text), now);
    terminate(*container, *stopping);
  }
  settle(now);
}

void Lifecycle::out_of_memory(Instance of, Instant now) {
  life::Container* container = current(of);
  if (container == nullptr) return;
  bool* oom = nullptr;
  if (auto* starting = container->in<life::Starting>()) oom = &starting->oom;
  if (auto* running = container->in<life::Running>()) oom = &running->live.oom;
  if (auto* stopping = container->in<life::Stopping>()) oom = &stopping->live.oom;
  if (oom == nullptr || *oom) return;
  *oom = true;
  publish(EventType::kOom, container, "a process was killed, out of memory", now);
}

void Lifecycle::time(Instant now) { settle(now); }

// ---- towards its end ----------------------------------------------------------------------------

// Runs preStop or sends the stop signal, and sees to it that the container is killed in the end.
void Lifecycle::begin_stopping(life::Container& container, int64_t kill_at, life::After after,
                               std::string_view why, Instant now) {
  life::Running* running = container.in<life::Running>();
  if (running == nullptr) return;
  publish(EventType::kKilling, &container, std::string(why), now);
  life::Stopping stopping{.live = std::move(running->live), .kill_at = kill_at, .after = after};
  const std::optional<Handler>& handler = container.spec->pre_stop;
  // Without grace there is no time for anything else: do_what_is_due() kills.
  const bool gentle = now.ns < kill_at;
  if (gentle && handler) {
    stopping.pre_stop.emplace();
    if (handler->sleep_seconds) {
      stopping.pre_stop->sleeps_until = now.ns + *handler->sleep_seconds * kSecond;
    } else {
      actions_.push_back(RunHandler{instance_of(container), HandlerKind::kPreStop});
    }
  } else if (gentle) {
    terminate(container, stopping);
  } else if (stage_ == Stage::kEnding && !stop_.at_once) {
    give_last_chance(container, stopping, now);  // the others have used up the pod's grace period
  }
  container.state = std::move(stopping);
}

// The stop signal, after preStop.
void Lifecycle::terminate(life::Container& container, life::Stopping& stopping) {
  stopping.pre_stop.reset();
  if (stopping.killed) return;
  actions_.push_back(Signal{instance_of(container), container.spec->stop_signal});
}

void Lifecycle::give_last_chance(life::Container& container, life::Stopping& stopping,
                                 Instant now) {
  terminate(container, stopping);
  stopping.last_chance = true;
  stopping.kill_at = now.ns + life::kLastChance;
}

void Lifecycle::kill(life::Container& container, bool& killed) {
  if (std::exchange(killed, true)) return;
  actions_.push_back(Kill{instance_of(container)});
}

void Lifecycle::exited(Instance of, Exit exit, bool oom, Instant now) {
  if (oom) out_of_memory(of, now);
  life::Container* container = current(of);
  if (container == nullptr) return;
  if (auto* creating = container->in<life::Creating>()) {
    creating->exit = exit;
    return;
  }
  if (auto* starting = container->in<life::Starting>()) {
    if (!starting->exit) starting->exit = exit;  // the answer to Start decides what it means
    return;
  }
  if (auto* running = container->in<life::Running>()) {
    const life::Live live = std::move(running->live);
    finish(*container, live, exit, life::After::kPolicy, now);
  } else if (auto* stopping = container->in<life::Stopping>()) {
    const life::Live live = std::move(stopping->live);
    finish(*container, live, exit, stopping->after, now);
  } else if (auto* dying = container->in<life::Dying>()) {
    container->state = life::Removing{std::move(dying->again)};
    actions_.push_back(Remove{of});
  }
  settle(now);
}

// The end of an instance whose program had been started.
void Lifecycle::finish(life::Container& container, const life::Live& live, Exit exit,
                       life::After after, Instant now) {
  const int32_t status = exit.status();
  Terminated end{.exit_code = status,
                 .signal = exit.signal,
                 .started_at = live.started_at,
                 .finished_at = container::rfc3339(now.wall)};
  end.reason = exit.unknown  ? EndReason::kUnknown
               : status == 0 ? EndReason::kCompleted
               : live.oom    ? EndReason::kOomKilled
                             : EndReason::kError;
  publish(EventType::kExited, &container, how(exit, live.oom), now, status);
  record_end(container, std::move(end));
  std::optional<life::Awaiting> again;
  if (after == life::After::kRestart) {
    again = life::Awaiting{.due = now.ns};
  } else {
    again =
        next_life(container, after == life::After::kCondemned, elapsed_ms(live.since, now.ns), now);
  }
  container.state = life::Removing{std::move(again)};
  actions_.push_back(Remove{instance_of(container)});
}

void Lifecycle::record_end(life::Container& container, Terminated end) {
  container.before = std::exchange(container.last, std::move(end));
}

// Whether and when there is another instance after the one whose end has just been recorded.
std::optional<life::Awaiting> Lifecycle::next_life(life::Container& container, bool condemned,
                                                   uint64_t ran_ms, Instant now) {
  const Container& spec = *container.spec;
  if (stage_ != Stage::kGoing) return {};
  if (!is_restarted(spec.role, spec.restart, container.succeeded(), condemned)) return {};
  const uint32_t wait_ms = container.backoff.take(*pod_, ran_ms);
  life::Awaiting again{.due = now.ns + wait_ms * kMillisecond};
  if (wait_ms != 0) {
    again.reason = WaitingReason::kCrashLoopBackOff;
    again.message = cat("restart ", wait_ms, " ms after the last end");
    publish(EventType::kBackOff, &container, again.message, now);
  }
  return again;
}

void Lifecycle::removed(Instance of, Instant now) {
  life::Container* container = current(of);
  life::Removing* removing = container != nullptr ? container->in<life::Removing>() : nullptr;
  if (removing == nullptr) return;
  std::optional<life::Awaiting> again = std::move(removing->again);
  if (again) {
    container->state = *std::move(again);
  } else {
    container->state = life::Finished{};
  }
  settle(now);
}

}  // namespace ocirt::pod
