// The state of a container: what `state` prints and what hooks and seccomp agents get
// (runtime.md, "State"; config-linux.md, "The Container Process State").
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "oci-spec/enumeration.h"
#include "oci-spec/map.h"

namespace oci {

// runtime.md lets a runtime add values for new states; "paused" is the one that all callers know.
enum class Status : std::uint8_t { kCreated, kCreating, kPaused, kRunning, kStopped };
inline constexpr std::string_view kStatusNames[] = {"created", "creating", "paused", "running",
                                                    "stopped"};
constexpr std::span<const std::string_view> names_of(Status) { return kStatusNames; }
static_assert(names_agree(Status::kStopped));

struct State {
  std::string oci_version = {};          // required
  std::string id = {};                   // required; unique on the host
  Status status = Status::kCreating;     // required
  std::optional<std::int64_t> pid = {};  // of the container's process, seen by the runtime;
                                         // required when created or running
  std::string bundle = {};               // required; absolute path
  Map<std::string> annotations = {};

  bool operator==(const State&) const = default;
};

// What goes to seccomp.listenerPath together with the descriptors.
struct ContainerProcessState {
  std::string oci_version = {};              // required
  std::vector<std::string> fds = {};         // names of the descriptors in SCM_RIGHTS order
  std::int64_t pid = 0;                      // required; of the process, seen by the runtime
  std::optional<std::string> metadata = {};  // seccomp.listenerMetadata
  State state = {};                          // required

  bool operator==(const ContainerProcessState&) const = default;
};

}  // namespace oci
