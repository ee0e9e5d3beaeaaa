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
    field<&pod::Process::pid>("pid", {.required = true, .minimum = 0}),
    field<&pod::Process::start_time>("startTime"),
};

constexpr Field kWaiting[] = {
    field<&pod::Waiting::reason>("reason", kRequired),
    field<&pod::Waiting::message>("message"),
};

constexpr Field kRunning[] = {field<&pod::Running::started_at>("startedAt", kRequired)};

constexpr Field kTerminated[] = {
    field<&pod::Terminated::exit_code>("exitCode", kRequired),
    field<&pod::Terminated::signal>("signal"),
    field<&pod::Terminated::reason>("reason", kRequired),
    field<&pod::Terminated::message>("message"),
    field<&pod::Terminated::started_at>("startedAt"),
    field<&pod::Terminated::finished_at>("finishedAt", kRequired),
};

constexpr Field kContainerState[] = {
    field<&pod::ContainerState::waiting>("waiting"),
    field<&pod::ContainerState::running>("running"),
    field<&pod::ContainerState::terminated>("terminated"),
};

constexpr Field kContainerStatus[] = {
    field<&pod::ContainerStatus::name>("name", kRequired),
    field<&pod::ContainerStatus::role>("role", kRequired),
    field<&pod::ContainerStatus::state>("state", kRequired),
    field<&pod::ContainerStatus::last_terminated>("lastTerminated"),
    field<&pod::ContainerStatus::restart_count>("restartCount"),
    field<&pod::ContainerStatus::started>("started"),
    field<&pod::ContainerStatus::ready>("ready"),
    field<&pod::ContainerStatus::stopping>("stopping"),
    field<&pod::ContainerStatus::process>("process"),
};

constexpr Field kCondition[] = {
    field<&pod::Condition::type>("type", kRequired),
    field<&pod::Condition::status>("status", kRequired),
    field<&pod::Condition::since>("lastTransitionTime"),
};

constexpr Field kPodStatus[] = {
    field<&pod::PodStatus::name>("name", kRequired),
    field<&pod::PodStatus::uid>("uid", kRequired),
    field<&pod::PodStatus::phase>("phase", kRequired),
    field<&pod::PodStatus::reason>("reason"),
    field<&pod::PodStatus::message>("message"),
    field<&pod::PodStatus::ips>("podIPs"),
    field<&pod::PodStatus::started_at>("startTime"),
    field<&pod::PodStatus::finished_at>("finishedAt"),
    field<&pod::PodStatus::conditions>("conditions"),
    field<&pod::PodStatus::containers>("containers", kRequired),
};

constexpr Field kSavedContainer[] = {
    field<&pod::SavedContainer::step>("step", kRequired),
    field<&pod::SavedContainer::attempt>("attempt"),
    field<&pod::SavedContainer::ever_started>("everStarted"),
    field<&pod::SavedContainer::backoff_ms>("backoffMs"),
    field<&pod::SavedContainer::again>("again"),
    field<&pod::SavedContainer::due_ns>("due"),
    field<&pod::SavedContainer::since_ns>("since"),
    field<&pod::SavedContainer::post_start>("postStart"),
    field<&pod::SavedContainer::kill_at_ns>("killAt"),
    field<&pod::SavedContainer::condemned>("condemned"),
    field<&pod::SavedContainer::restart_asked>("restartAsked"),
    field<&pod::SavedContainer::last>("last"),
    field<&pod::SavedContainer::before>("before"),
};

constexpr Field kState[] = {
    field<&pod::State::status>("status", kRequired),
    field<&pod::State::started>("started"),
    field<&pod::State::begun_ns>("begun"),
    field<&pod::State::turn>("turn"),
    field<&pod::State::stop_deadline_ns>("stopDeadline"),
    field<&pod::State::containers>("containers", kRequired),
};

constexpr Field kStateDocument[] = {
    field<&pod::StateDocument::version>("version", kRequired),
    field<&pod::StateDocument::state>("state", kRequired),
};

constexpr Field kEvent[] = {
    field<&pod::Event::time>("time", kRequired), field<&pod::Event::pod>("pod", kRequired),
    field<&pod::Event::container>("container"),  field<&pod::Event::type>("type", kRequired),
    field<&pod::Event::message>("message"),      field<&pod::Event::exit_code>("exitCode"),
    field<&pod::Event::count>("count"),
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
