// Rows of a pod's status, of state.json and of events (oci-spec/schema/field.h).
#include "src/pod/status.h"

#include "oci-spec/json/reader.h"
#include "oci-spec/json/writer.h"
#include "oci-spec/schema/field.h"
#include "src/base/text.h"
#include "src/pod/event.h"
#include "src/pod/state.h"

namespace ocirt::pod {

static_assert(oci::names_agree(Phase::kSucceeded));
static_assert(oci::names_agree(WaitingReason::kRunContainerError));
static_assert(oci::names_agree(EndReason::kUnknown));
static_assert(oci::names_agree(StopReason::kStopped));
static_assert(oci::names_agree(EventType::kUnhealthy));
static_assert(oci::names_agree(Step::kStopping));

// Not in the anonymous namespace: the tables below are found by type.
struct StateDocument {
  int32_t version = 0;
  State state;
};

}  // namespace ocirt::pod

namespace oci::schema {

namespace pod = ocirt::pod;

template <>
const Type Object<pod::Process>::type;
template <>
const Type Object<pod::Waiting>::type;
template <>
const Type Object<pod::Running>::type;
template <>
const Type Object<pod::Terminated>::type;
template <>
const Type Object<pod::ContainerState>::type;
template <>
const Type Object<pod::ContainerStatus>::type;
template <>
const Type Object<pod::Condition>::type;
template <>
const Type Object<pod::PodStatus>::type;
template <>
const Type Object<pod::SavedContainer>::type;
template <>
const Type Object<pod::State>::type;
template <>
const Type Object<pod::StateDocument>::type;
template <>
const Type Object<pod::Event>::type;

namespace {

constexpr Field kPodProcess[] = {
    OCI_FIELD(pod::Process, pid, "pid", {.required = true, .minimum = 0}),
    OCI_FIELD(pod::Process, start_time, "startTime"),
};

constexpr Field kWaiting[] = {
    OCI_FIELD(pod::Waiting, reason, "reason", kRequired),
    OCI_FIELD(pod::Waiting, message, "message"),
};

constexpr Field kRunning[] = {OCI_FIELD(pod::Running, started_at, "startedAt", kRequired)};

constexpr Field kTerminated[] = {
    OCI_FIELD(pod::Terminated, exit_code, "exitCode", kRequired),
    OCI_FIELD(pod::Terminated, signal, "signal"),
    OCI_FIELD(pod::Terminated, reason, "reason", kRequired),
    OCI_FIELD(pod::Terminated, message, "message"),
    OCI_FIELD(pod::Terminated, started_at, "startedAt"),
    OCI_FIELD(pod::Terminated, finished_at, "finishedAt", kRequired),
};

constexpr Field kContainerState[] = {
    OCI_FIELD(pod::ContainerState, waiting, "waiting"),
    OCI_FIELD(pod::ContainerState, running, "running"),
    OCI_FIELD(pod::ContainerState, terminated, "terminated"),
};

constexpr Field kContainerStatus[] = {
    OCI_FIELD(pod::ContainerStatus, name, "name", kRequired),
    OCI_FIELD(pod::ContainerStatus, role, "role", kRequired),
    OCI_FIELD(pod::ContainerStatus, state, "state", kRequired),
    OCI_FIELD(pod::ContainerStatus, last_terminated, "lastTerminated"),
    OCI_FIELD(pod::ContainerStatus, restart_count, "restartCount"),
    OCI_FIELD(pod::ContainerStatus, started, "started"),
    OCI_FIELD(pod::ContainerStatus, ready, "ready"),
    OCI_FIELD(pod::ContainerStatus, stopping, "stopping"),
    OCI_FIELD(pod::ContainerStatus, process, "process"),
};

constexpr Field kCondition[] = {
    OCI_FIELD(pod::Condition, type, "type", kRequired),
    OCI_FIELD(pod::Condition, status, "status", kRequired),
    OCI_FIELD(pod::Condition, since, "lastTransitionTime"),
};

constexpr Field kPodStatus[] = {
    OCI_FIELD(pod::PodStatus, name, "name", kRequired),
    OCI_FIELD(pod::PodStatus, uid, "uid", kRequired),
    OCI_FIELD(pod::PodStatus, phase, "phase", kRequired),
    OCI_FIELD(pod::PodStatus, reason, "reason"),
    OCI_FIELD(pod::PodStatus, message, "message"),
    OCI_FIELD(pod::PodStatus, ips, "podIPs"),
    OCI_FIELD(pod::PodStatus, started_at, "startTime"),
    OCI_FIELD(pod::PodStatus, finished_at, "finishedAt"),
    OCI_FIELD(pod::PodStatus, conditions, "conditions"),
    OCI_FIELD(pod::PodStatus, containers, "containers", kRequired),
};

constexpr Field kSavedContainer[] = {
    OCI_FIELD(pod::SavedContainer, step, "step", kRequired),
    OCI_FIELD(pod::SavedContainer, attempt, "attempt"),
    OCI_FIELD(pod::SavedContainer, ever_started, "everStarted"),
    OCI_FIELD(pod::SavedContainer, backoff_ms, "backoffMs"),
    OCI_FIELD(pod::SavedContainer, again, "again"),
    OCI_FIELD(pod::SavedContainer, due_ns, "due"),
    OCI_FIELD(pod::SavedContainer, since_ns, "since"),
    OCI_FIELD(pod::SavedContainer, post_start, "postStart"),
    OCI_FIELD(pod::SavedContainer, kill_at_ns, "killAt"),
    OCI_FIELD(pod::SavedContainer, condemned, "condemned"),
    OCI_FIELD(pod::SavedContainer, restart_asked, "restartAsked"),
    OCI_FIELD(pod::SavedContainer, last, "last"),
    OCI_FIELD(pod::SavedContainer, before, "before"),
};

constexpr Field kState[] = {
    OCI_FIELD(pod::State, status, "status", kRequired),
    OCI_FIELD(pod::State, started, "started"),
    OCI_FIELD(pod::State, begun_ns, "begun"),
    OCI_FIELD(pod::State, turn, "turn"),
    OCI_FIELD(pod::State, stop_deadline_ns, "stopDeadline"),
    OCI_FIELD(pod::State, containers, "containers", kRequired),
};

constexpr Field kStateDocument[] = {
    OCI_FIELD(pod::StateDocument, version, "version", kRequired),
    OCI_FIELD(pod::StateDocument, state, "state", kRequired),
};

constexpr Field kEvent[] = {
    OCI_FIELD(pod::Event, time, "time", kRequired), OCI_FIELD(pod::Event, pod, "pod", kRequired),
    OCI_FIELD(pod::Event, container, "container"),  OCI_FIELD(pod::Event, type, "type", kRequired),
    OCI_FIELD(pod::Event, message, "message"),      OCI_FIELD(pod::Event, exit_code, "exitCode"),
    OCI_FIELD(pod::Event, count, "count"),
};

}  // namespace

template <>
constinit const Type Object<pod::Process>::type = object(kPodProcess);
template <>
constinit const Type Object<pod::Waiting>::type = object(kWaiting);
template <>
constinit const Type Object<pod::Running>::type = object(kRunning);
template <>
constinit const Type Object<pod::Terminated>::type = object(kTerminated);
template <>
constinit const Type Object<pod::ContainerState>::type = object(kContainerState);
template <>
constinit const Type Object<pod::ContainerStatus>::type = object(kContainerStatus);
template <>
constinit const Type Object<pod::Condition>::type = object(kCondition);
template <>
constinit const Type Object<pod::PodStatus>::type = object(kPodStatus);
template <>
constinit const Type Object<pod::SavedContainer>::type = object(kSavedContainer);
template <>
constinit const Type Object<pod::State>::type = object(kState);
template <>
constinit const Type Object<pod::StateDocument>::type = object(kStateDocument);
template <>
constinit const Type Object<pod::Event>::type = object(kEvent);

}  // namespace oci::schema

namespace ocirt::pod {
namespace {

constexpr int32_t kVersion = 1;

template <class T>
std::string write(const T& value) {
  return oci::json::write(oci::schema::Object<T>::type, &value, false);
}

template <class T>
Result<T> read(std::string_view json, std::string_view document) {
  T value;
  if (auto error = oci::json::read(json, document, oci::schema::Object<T>::type, &value)) {
    return refuse(error->message());
  }
  return value;
}

}  // namespace

const ContainerStatus* PodStatus::find(std::string_view container) const {
  for (const ContainerStatus& one : containers) {
    if (one.name == container) return &one;
  }
  return nullptr;
}

bool PodStatus::condition(std::string_view type) const {
  for (const Condition& one : conditions) {
    if (one.type == type) return one.status;
  }
  return false;
}

std::string write_status(const PodStatus& status) { return write(status); }
Result<PodStatus> read_status(std::string_view json) {
  return read<PodStatus>(json, "status of the pod");
}

std::string write_event(const Event& event) { return write(event) + "\n"; }
Result<Event> read_event(std::string_view line) { return read<Event>(line, "event"); }

std::string write_state(const State& state) { return write(StateDocument{kVersion, state}); }

Result<State> read_state(std::string_view json, std::string_view document) {
  StateDocument value = TRY(read<StateDocument>(json, document));
  if (value.version != kVersion) {
    return refuse(cat(document, ": written in form ", value.version,
                      " by another version of ocirt, this one reads form ", kVersion));
  }
  if (value.state.containers.size() != value.state.status.containers.size()) {
    return refuse(cat(document, ": containers: not as many as in the status"));
  }
  return std::move(value.state);
}

}  // namespace ocirt::pod
