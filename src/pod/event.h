// What happens in a pod, for those who watch: one JSON line per event in events.jsonl.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "oci-spec/enumeration.h"
#include "src/base/result.h"

namespace ocirt::pod {

// Kubernetes' words where it has one.
enum class EventType : uint8_t {
  kAdopted,              // a new shim has found the container running, or gone
  kBackOff,              // will be restarted, but later
  kCreated,              // container
  kEnded,                // pod
  kExited,               // container
  kFailed,               // a container could not be created or started
  kFailedPostStartHook,  // the container is ended for it
  kFailedPreStopHook,    // goes on
  kKilling,              // a container is asked to end
  kNotReady,             // pod
  kOom,                  // the kernel killed a process of the container
  kReady,                // pod
  kStarted,              // container
  kStarting,             // pod
  kStopping,             // pod
  kUnhealthy,            // a probe failed
};
inline constexpr std::string_view kEventTypeNames[] = {"Adopted",
                                                       "BackOff",
                                                       "Created",
                                                       "Ended",
                                                       "Exited",
                                                       "Failed",
                                                       "FailedPostStartHook",
                                                       "FailedPreStopHook",
                                                       "Killing",
                                                       "NotReady",
                                                       "OOM",
                                                       "Ready",
                                                       "Started",
                                                       "Starting",
                                                       "Stopping",
                                                       "Unhealthy"};
constexpr std::span<const std::string_view> names_of(EventType) { return kEventTypeNames; }

struct Event {
  std::string time = {};                 // required; RFC 3339
  std::string pod = {};                  // required; its name
  std::string container = {};            // empty: the event is the pod's
  EventType type = EventType::kStarted;  // required
  std::string message = {};
  std::optional<int32_t> exit_code = {};  // kExited
  std::optional<uint32_t> count = {};     // kUnhealthy: failures in a row, this one included

  bool operator==(const Event&) const = default;
};

// One line with its newline, and back from one without.
std::string write_event(const Event& event);
Result<Event> read_event(std::string_view line);

}  // namespace ocirt::pod
