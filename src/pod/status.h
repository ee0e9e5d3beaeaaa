// What a pod tells of itself: the value that SandboxStatus carries in info["pod"] and that lies in
// state.json for the time when nobody answers.
//
// Words and shape are those of Kubernetes' PodStatus, since people and scripts know them: a
// container is waiting, running or terminated, and the phase is a summary of all of them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "oci-spec/enumeration.h"
#include "src/base/result.h"
#include "src/pod/pod.h"

namespace ocirt::pod {

enum class Phase : uint8_t { kFailed, kPending, kRunning, kSucceeded };
inline constexpr std::string_view kPhaseNames[] = {"Failed", "Pending", "Running", "Succeeded"};
constexpr std::span<const std::string_view> names_of(Phase) { return kPhaseNames; }

enum class WaitingReason : uint8_t {
  kContainerCreating,     // on its way
  kCrashLoopBackOff,      // it has ended and is to be restarted later
  kCreateContainerError,  // could not be created, is tried again later
  kNotStarted,            // the pod ended before its turn came
  kPodInitializing,       // its turn has not come
  kRunContainerError,     // could not be started, is tried again later
};
inline constexpr std::string_view kWaitingReasonNames[] = {
    "ContainerCreating", "CrashLoopBackOff", "CreateContainerError",
    "NotStarted",        "PodInitializing",  "RunContainerError"};
constexpr std::span<const std::string_view> names_of(WaitingReason) { return kWaitingReasonNames; }

enum class EndReason : uint8_t {
  kCompleted,             // exit code 0
  kCreateContainerError,  // never existed
  kError,                 // another exit code, or a signal
  kOomKilled,
  kStartError,  // created, but its program could not be executed
  kUnknown,     // it ended while nobody looked
};
inline constexpr std::string_view kEndReasonNames[] = {
    "Completed", "CreateContainerError", "Error", "OOMKilled", "StartError", "Unknown"};
constexpr std::span<const std::string_view> names_of(EndReason) { return kEndReasonNames; }

// Why a pod ends.
enum class StopReason : uint8_t {
  kCompleted,         // all apps have ended for good
  kDeadlineExceeded,  // activeDeadlineSeconds
  kInitFailed,        // an init container failed that is not to be restarted
  kStopped,           // somebody asked
};
inline constexpr std::string_view kStopReasonNames[] = {"Completed", "DeadlineExceeded",
                                                        "InitContainerFailed", "Stopped"};
constexpr std::span<const std::string_view> names_of(StopReason) { return kStopReasonNames; }

// How a process ended, as waitid(2) has it.
struct Exit {
  int32_t code = 0;      // meaningful when signal is 0
  int32_t signal = 0;    // that killed it
  bool unknown = false;  // nobody was there to be told; counts as a failure

  // As a shell and Kubernetes have it: the code, 128 + signal, or 137 for the unknown.
  constexpr int32_t status() const { return unknown ? 137 : signal != 0 ? 128 + signal : code; }
  bool operator==(const Exit&) const = default;
};

// A process, safe against the reuse of its number.
struct Process {
  int32_t pid = 0;
  uint64_t start_time = 0;  // field 22 of /proc/PID/stat

  bool operator==(const Process&) const = default;
};

struct Waiting {
  WaitingReason reason = WaitingReason::kPodInitializing;  // required
  std::string message = {};

  bool operator==(const Waiting&) const = default;
};

struct Running {
  std::string started_at = {};  // required; RFC 3339, as all times here

  bool operator==(const Running&) const = default;
};

struct Terminated {
  int32_t exit_code = 0;                     // required; Exit::status()
  int32_t signal = 0;                        // 0: it ended by itself
  EndReason reason = EndReason::kCompleted;  // required
  std::string message = {};
  std::string started_at = {};   // empty: it was never started
  std::string finished_at = {};  // required

  bool operator==(const Terminated&) const = default;
};

// Exactly one of the three.
struct ContainerState {
  std::optional<Waiting> waiting = {};
  std::optional<Running> running = {};
  std::optional<Terminated> terminated = {};

  bool operator==(const ContainerState&) const = default;
};

struct ContainerStatus {
  std::string name = {};                           // required
  Role role = Role::kApp;                          // required
  ContainerState state = {};                       // required
  std::optional<Terminated> last_terminated = {};  // of the instance before this one
  uint32_t restart_count = 0;
  bool started = false;   // postStart and the startup probe have succeeded
  bool ready = false;     // started, and the readiness probe says so; an init container: succeeded
  bool stopping = false;  // has been asked to end
  Process process = {};   // pid 0: there is none

  bool operator==(const ContainerStatus&) const = default;
};

struct Condition {
  std::string type = {};   // required; Initialized, ContainersReady, Ready
  bool status = false;     // required
  std::string since = {};  // of the last change; empty: it has always been so

  bool operator==(const Condition&) const = default;
};

struct PodStatus {
  std::string name = {};              // required
  std::string uid = {};               // required
  Phase phase = Phase::kPending;      // required
  std::optional<StopReason> reason;   // it ends or has ended, and why
  std::string message = {};           // one sentence more
  std::vector<std::string> ips = {};  // put in by the shim, which knows the network
  std::string started_at = {};
  std::string finished_at = {};
  std::vector<Condition> conditions = {};
  std::vector<ContainerStatus> containers = {};  // required; in the order of pod.json

  bool operator==(const PodStatus&) const = default;

  const ContainerStatus* find(std::string_view container) const;
  bool condition(std::string_view type) const;
};

// info["pod"] of SandboxStatus, on one line, and back.
std::string write_status(const PodStatus& status);
Result<PodStatus> read_status(std::string_view json);

}  // namespace ocirt::pod
