// The states of one container, each with what is known in it and nothing else: a container that
// does not exist has no process, one that runs has no wait to end, and only one that is being
// stopped has a time at which it is killed.
//
//   Idle ──────> Creating ──> Starting ──> Running ──> Stopping ──> Removing ──> Waiting ──>
//   Creating
//    │            │   ^        │ │           │            ^           ^  │          │
//    │            │   └── Waiting│           └── exits ───│───────────│  └──────> Finished
//    │            │            │ └ cannot start: Dying ───│───────────┘             ^
//    └────────────┴──── the pod ends ─────────────────────┴─────────────────────────┘
//
// What asks for what is in lifecycle.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <variant>

#include "src/pod/probe.h"
#include "src/pod/restart.h"
#include "src/pod/status.h"

namespace ocirt::pod::life {

// What follows the end of an instance.
enum class After : uint8_t {
  kPolicy,     // what the restart policy says about its exit code
  kCondemned,  // a probe or postStart has ended it: the policy decides as for a failure
  kRestart,    // somebody asked for a restart: whatever the policy says, and at once
};

// postStart and preStop: a handler that is to finish, or that merely sleeps.
struct Handling {
  std::optional<int64_t> sleeps_until = {};  // absent: the shim will say when it is done
};

// Its turn has not come. Nothing exists.
struct Idle {};

// Nothing exists; it is created when the time has come.
struct Awaiting {
  int64_t due = 0;
  WaitingReason reason = WaitingReason::kContainerCreating;
  std::string message = {};
};

// Asked for; the answer is outstanding.
struct Creating {
  std::optional<Exit> exit = {};  // came before the answer: somebody has killed it
};

// It exists, its program does not run yet; the answer is outstanding.
struct Starting {
  Process process = {};
  std::optional<Exit> exit = {};  // came before the answer
  bool oom = false;
  bool killed = false;
};

// An instance whose program runs.
struct Live {
  Process process = {};
  int64_t since = 0;
  std::string started_at = {};  // RFC 3339
  bool oom = false;
  std::optional<Handling> post_start = {};  // not done yet
  Probing probings[std::size(kProbeKinds)] = {};

  Probing& probing(ProbeKind kind) { return probings[static_cast<size_t>(kind)]; }
  const Probing& probing(ProbeKind kind) const { return probings[static_cast<size_t>(kind)]; }
};

struct Running {
  Live live = {};
};

// A container whose turn to end, or whose stop signal, comes only when the grace period is over has
// this long after the signal, as the kubelet has it (minimumGracePeriodInSeconds).
inline constexpr int64_t kLastChance = 2'000'000'000;

// Asked to end; its end is outstanding.
struct Stopping {
  Live live = {};
  std::optional<Handling> pre_stop = {};  // the stop signal is sent when it is done
  bool killed = false;
  int64_t kill_at = 0;
  bool last_chance = false;  // kill_at may be after the pod's deadline
  After after = After::kPolicy;
};

// Killed before its program ran; its end is outstanding.
struct Dying {
  std::optional<Awaiting> again = {};
};

// Its process has ended; the removal of what is left is outstanding.
struct Removing {
  std::optional<Awaiting> again = {};  // absent: Finished
};

// Nothing exists, and nothing will.
struct Finished {};

using State =
    std::variant<Idle, Awaiting, Creating, Starting, Running, Stopping, Dying, Removing, Finished>;

// A container: its present state, and what outlives an instance.
struct Container {
  const pod::Container* spec = nullptr;
  State state = Idle{};
  uint32_t attempt = 0;  // number of the present instance; answers about others are ignored
  uint32_t restarts = 0;
  bool ever_started = false;
  Backoff backoff = {};
  std::optional<Terminated> last = {};    // end of the last instance that has ended
  std::optional<Terminated> before = {};  // and of the one before it

  template <class S>
  S* in() {
    return std::get_if<S>(&state);
  }
  template <class S>
  const S* in() const {
    return std::get_if<S>(&state);
  }

  bool finished() const { return in<Finished>() != nullptr; }
  bool succeeded() const { return last && last->exit_code == 0; }
  // The program runs, and postStart and the startup probe have succeeded.
  bool started() const;
  // Started, and well by its readiness probe. Not any more when it is being stopped.
  bool ready() const;
};

inline bool Container::started() const {
  const Running* running = in<Running>();
  return running != nullptr && !running->live.post_start &&
         (!spec->startup ||
          running->live.probing(ProbeKind::kStartup).verdict() == Probing::Verdict::kPassed);
}

inline bool Container::ready() const {
  if (spec->role == Role::kInit) return finished() && succeeded();
  return started() &&
         (!spec->readiness || in<Running>()->live.probing(ProbeKind::kReadiness).verdict() ==
                                  Probing::Verdict::kPassed);
}

}  // namespace ocirt::pod::life
