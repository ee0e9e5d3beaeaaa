// A pod's life: what has happened goes in, what is to be done comes out.
//
// The machine is a plain value. It makes no system call, reads no clock and calls nobody back: the
// shim tells it of every answer, exit and passing of time, then carries out the actions. All rules
// of order, restart, probes and stopping are in here, and can be tested in microseconds.
//
// How it works: an event changes the state of one container (lifecycle.cc); then settle() looks at
// all of them and asks for whatever their states call for by now (settle.cc). There is nothing to
// cancel and nothing to forget: a timer is not armed and disarmed, deadline() is the earliest time
// at which there will be something to do.
//
//   lifecycle.start(now);
//   loop: write state(); carry out take_actions(); set one timer to deadline(); wait; report
//
// The state is written before the actions are carried out, so that one that was cut off is known.
//
// What the caller promises: it answers every Create, Start, Remove, RunProbe and RunHandler exactly
// once; it reports the exit of every process that created() named, exactly once, before or after
// the answer to Start; Remove is repeatable.
#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "src/base/result.h"
#include "src/pod/container_life.h"
#include "src/pod/event.h"
#include "src/pod/pod.h"
#include "src/pod/probe.h"
#include "src/pod/state.h"
#include "src/pod/status.h"

namespace ocirt::pod {

// A point in time: `ns` of a clock that never jumps (CLOCK_BOOTTIME or CLOCK_MONOTONIC, the same
// for all shims of this boot), `wall` for texts.
struct Instant {
  int64_t ns = 0;
  timespec wall = {};
};

// One instance of a container: its index in Pod::containers, and the how manieth it is. An answer
// that comes late, about an instance that has been replaced, changes nothing.
struct Instance {
  uint32_t container = 0;
  uint32_t attempt = 0;

  bool operator==(const Instance&) const = default;
};

enum class HandlerKind : uint8_t { kPostStart, kPreStop };

// What the shim has to do. Answered by:
struct Create {  // created() or create_failed(); what fails leaves nothing behind
  Instance of;
};
struct Start {  // started() or start_failed()
  Instance of;
};
struct Signal {  // exited(), some time. To the container's first process.
  Instance of;
  int signal = 0;
};
struct Kill {  // exited(). SIGKILL to all of its processes.
  Instance of;
};
struct Remove {  // removed(). Its first process has ended or never was; what else is left goes.
  Instance of;   // After an adoption anything may be left, and nothing: then all of it goes.
};
struct RunProbe {  // probed(), within Probe::timeout_seconds
  Instance of;
  ProbeKind kind = ProbeKind::kLiveness;
};
struct RunHandler {  // handled(). Exec or http: the machine sleeps by itself.
  Instance of;
  HandlerKind kind = HandlerKind::kPostStart;
};
struct Publish {
  Event event;
};
// The answer to the caller of start(), once: all apps have been started, or why they cannot be.
// After a failure the machine goes on as the restart policy says; stop() ends it.
struct Launched {};
struct LaunchFailed {
  std::string text;
};
// Nothing exists any more and nothing will happen any more; status() is final.
struct Ended {};

using Action = std::variant<Create, Start, Signal, Kill, Remove, RunProbe, RunHandler, Publish,
                            Launched, LaunchFailed, Ended>;

class Lifecycle {
 public:
  // `pod` must have passed check_pod(), and outlive this.
  explicit Lifecycle(const Pod& pod);

  // The life of a pod that a dead shim has left: what it had written, and what has become of each
  // process. start() is not called again. Every container that was on its way into being or out of
  // it is removed, by an action, and made anew if it is still wanted.
  static Lifecycle adopt(const Pod& pod, const State& state, const std::vector<Found>& found,
                         Instant now);

  // ---- events ----------------------------------------------------------------------------------
  void start(Instant now);
  void created(Instance of, Process process, Instant now);
  void create_failed(Instance of, std::string_view why, Instant now);
  void started(Instance of, Instant now);
  void start_failed(Instance of, std::string_view why, Instant now);
  // `oom`: the kernel has killed a process of this container for its memory, by now.
  void exited(Instance of, Exit exit, bool oom, Instant now);
  void out_of_memory(Instance of, Instant now);
  void removed(Instance of, Instant now);
  void probed(Instance of, ProbeKind kind, bool success, std::string_view text, Instant now);
  void handled(Instance of, HandlerKind kind, bool success, std::string_view text, Instant now);
  // The deadline has come.
  void time(Instant now);
  // Ends the pod: apps first, all at once, then the sidecars from the last to the first, each with
  // what is left of the grace period. 0 kills. Asked again: the earlier end counts.
  void stop(uint64_t grace_seconds, Instant now);
  // Ends one container and starts it again at once, whatever its policy says.
  Result<> restart(uint32_t container, Instant now);

  // ---- what follows ----------------------------------------------------------------------------
  // In the order in which they are to be done. Empty when nothing has happened.
  std::vector<Action> take_actions();
  // When time() is to be called, on the clock of Instant::ns; nothing: not before another event.
  std::optional<int64_t> deadline() const;

  PodStatus status() const;
  // For state.json: enough for adopt().
  State state() const;
  bool has_ended() const { return stage_ == Stage::kEnded; }
  // The instance that exists or is being made, for requests that name a container.
  Instance instance(uint32_t container) const {
    return {container, containers_[container].attempt};
  }

 private:
  // kCreated: start() has not been called. kGoing: containers are made as their turn comes.
  // kEnding: they are only ended. kEnded: none is left.
  enum class Stage : uint8_t { kCreated, kGoing, kEnding, kEnded };

  struct Stop {
    StopReason reason = StopReason::kStopped;
    int64_t deadline = 0;  // everything is killed, but for last chances
    std::string message = {};
    bool at_once = false;  // without any grace period, and so without last chances
  };

  // lifecycle.cc; stop() and restart() are in requests.cc
  life::Container* current(Instance of);
  Instance instance_of(const life::Container& container) const;
  void create(life::Container& container);
  void finish(life::Container& container, const life::Live& live, Exit exit, life::After after,
              Instant now);
  void record_end(life::Container& container, Terminated end);
  std::optional<life::Awaiting> next_life(life::Container& container, bool condemned,
                                          uint64_t ran_ms, Instant now);
  void begin_stopping(life::Container& container, int64_t kill_at, life::After after,
                      std::string_view why, Instant now);
  void give_last_chance(life::Container& container, life::Stopping& stopping, Instant now);
  void terminate(life::Container& container, life::Stopping& stopping);
  void kill(life::Container& container, bool& killed);
  void begin_post_start(life::Container& container, life::Live& live, Instant now);
  void post_start_done(life::Container& container, bool success, std::string_view text,
                       Instant now);
  void fail_launch(std::string text);
  void publish(EventType type, const life::Container* container, std::string message, Instant now,
               std::optional<int32_t> exit_code = {});

  // settle.cc
  void settle(Instant now);
  void take_turns(Instant now);
  void begin_stop(StopReason reason, int64_t deadline, std::string message, Instant now);
  void stop_in_order(Instant now);
  void stop_container(life::Container& container, Instant now);
  void wake(life::Container& container, Instant now);
  void do_what_is_due(life::Container& container, Instant now);
  void ask_probes(life::Container& container, life::Live& live, Instant now);
  void report(Instant now);
  bool all_finished(bool apps_only) const;
  bool is_initialized() const;
  bool is_ready() const;
  std::optional<int64_t> due(const life::Container& container) const;

  // adopt.cc
  void adopt_container(life::Container& container, const ContainerStatus& told,
                       const SavedContainer& saved, const Found& found, Instant now);

  // tell.cc
  Phase phase() const;

  const Pod* pod_;
  std::vector<life::Container> containers_;
  std::vector<Action> actions_;
  Stage stage_ = Stage::kCreated;
  Stop stop_ = {};   // from kEnding on
  size_t turn_ = 0;  // the init container or sidecar that is waited for, or the first app
  int64_t begun_ = 0;
  bool launch_answered_ = false;
  bool ready_ = false;  // as reported
  std::string started_at_ = {};
  std::string finished_at_ = {};
  std::string initialized_since_ = {};
  std::string ready_since_ = {};
};

}  // namespace ocirt::pod
