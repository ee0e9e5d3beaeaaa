// Brings a process to life from its plan and talks to it until it is ready: the part that `create`,
// `run` and `exec` have in common. What is said is in plan/protocol.h.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "oci-spec/hooks.h"
#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/container/draft.h"
#include "src/container/net_devices.h"
#include "src/container/peer.h"
#include "src/container/record.h"
#include "src/container/seccomp_agent.h"
#include "src/container/timeline.h"
#include "src/container/unit.h"
#include "src/linux/cgroup/cgroup.h"
#include "src/sys/spawn.h"

namespace ocirt::container {

struct Heard;

struct LaunchRequest {
  Draft* draft = nullptr;
  const cgroup::Entrance* entrance = nullptr;  // null: stays in our cgroup
  bool enter_late =
      false;  // put into the cgroup as the last, by its successor's pid (joined pid namespace)
  // Device rules of a new cgroup, to be put in force beside init.
  std::optional<std::span<const oci::DeviceCgroup>> new_devices;
  const UnitPlan* unit = nullptr;  // instead of an entrance: systemd makes the cgroup around it
  StartedUnit* started_unit = nullptr;
  const UnitEntrance* unit_entrance = nullptr;  // instead of an entrance: systemd moves it there
  std::span<const UniqueFd> trees;              // of open_mount_trees()
  std::vector<plan::Join> joins;  // further namespaces that init joins; descriptors of the caller
  bool signals_blocked = false;   // by a SignalInbox of the caller
  bool starts_at_once = false;    // run: the caller has nothing to do between Ready and Start that
                                  // must find init ready, so it need not be waited for
  bool leaves_start_to_launch =
      false;                          // exec: nothing has to be done between the successor's number
                                      // being known and Start, so that can wait for it already
  bool for_parent = false;            // init is a child of our parent (CLONE_PARENT), who reaps it
  Fd gate;                            // create: where init will wait for start
  Fd console;                         // connected console socket
  std::optional<SeccompAgent> agent;  // for a filter that notifies
  const std::optional<oci::Hooks>* hooks = nullptr;  // prestart and createRuntime are run from here
  NetDevices* net_devices = nullptr;  // moved in before the hooks; what becomes of them later is
                                      // the caller's
  Timeline* timeline = nullptr;       // of --trace
  Record* record = nullptr;  // of the container; pid and start_time are filled in unless exec
};

// Who is to get a seccomp listener, and for which process of which container.
struct ListenerRoute {
  std::optional<SeccompAgent> agent;
  pid_t pid = 0;
  oci::State state;
};

// A process that is ready to go on (launched.cc). Killed and reaped by its destructor unless
// released.
class [[nodiscard]] Launched {
 public:
  Launched() = default;
  Launched(Launched&&) noexcept = default;
  Launched& operator=(Launched&&) = delete;
  ~Launched();

  pid_t pid() const { return child_.pid; }
  Fd pidfd() const { return child_.pidfd; }
  Fd console() const { return console_; }  // master of an attached terminal, or invalid
  UniqueFd take_console() { return std::move(console_); }

  // Init may go on without us; it is not our business any more. Sends Commit.
  Result<> commit();
  // Lets it go on to its program, with the state document for startContainer hooks if `state` is
  // valid. Returns when the program runs; an error is init's own.
  Result<> start(Fd state);
  // From here on it lives without us.
  void release() { released_ = true; }

 private:
  friend Result<Launched> launch_once(const LaunchRequest&);
  Result<> take_stock(const LaunchRequest& request);
  Result<> follow(const LaunchRequest& request, pid_t successor);
  Result<> converse(const LaunchRequest& request, bool told_first);
  Result<bool> understand_word(const LaunchRequest& request, Heard heard);
  Result<> end_of_conversation();
  Result<> say_start(Fd state);

  sys::Child child_;
  Timeline* timeline_ = nullptr;
  UniqueFd channel_;
  UniqueFd console_;
  std::optional<uint32_t> ignored_signals_;  // by our caller; init is told with the next word
  ListenerRoute route_;
  bool is_exec_ = false;
  bool of_parent_ = false;           // a child of our parent: it is killed, but not reaped
  bool hooks_expected_ = false;      // init is going to say AtHooks
  bool successor_expected_ = false;  // init is going to say Moved
  bool ready_in_silence_ = false;    // it is not known whether it is ready before it is started
  bool ready_by_moving_ = false;     // and nothing more before Start
  bool start_said_ = false;          // which is with init already
  bool executing_ = false;           // init has said so
  bool program_runs_ = false;        // and nothing more can be heard
  bool settling_expected_ = false;   // init is going to say Unmapped
  bool released_ = false;
};

// Starts init and listens to it until it is ready.
Result<Launched> launch(const LaunchRequest& request);

// Listens to init's last words: success when it has closed the channel because its program runs,
// its error when it said Failed. A seccomp listener is handed on meanwhile.
Result<> program_runs(Fd channel, const ListenerRoute& route);

// The number of descriptors that stay open: --preserve-fds, and what a socket-activating caller
// passes (sd_listen_fds(3): LISTEN_PID is ours; or absent, as crun has it). One that the caller did
// not pass is `missing`: runc refuses then, crun passes the others.
struct PreservedFds {
  uint32_t all = 0;
  uint32_t listen = 0;
  std::optional<uint32_t> missing;
  std::vector<UniqueFd> plugs;  // close-on-exec, in the gaps: nothing of ours may get such a number
};
Result<PreservedFds> preserved_fds(int asked_for);

// Connects the console socket, after checking that the options fit together: a detached terminal
// needs one, nothing else may have one. `connected` is one already, or invalid. Its owner has
// `limit_ms` milliseconds to accept.
Result<UniqueFd> open_console_socket(const std::string& path, bool terminal, bool detached,
                                     Fd connected = {}, int limit_ms = kPeerLimitMs);

}  // namespace ocirt::container
