// The pods of a root directory, by what their directories say and, where a shim lives, what it
// says.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/pod/paths.h"
#include "src/pod/pod.h"
#include "src/pod/status.h"
#include "src/podcli/command.h"

namespace ocirt::podcli {

// A pod that exists, at the moment of looking.
struct PodView {
  pod::Layout layout;
  pod::Pod pod;
  pod::PodStatus status;
};

// POD/CONTAINER on the command line; both may be abbreviated.
struct Target {
  std::string pod;
  std::string container;  // empty: not named
};

pod::Layout layout_of(const Globals& globals, std::string_view pod);

// Names of the pods whose creation has succeeded, sorted.
Result<std::vector<std::string>> list_pods(const Globals& globals);

// The pod that `text` names: exactly, or as the beginning of only one name.
Result<std::string> find_pod(const Globals& globals, std::string_view text);

// The pods that the arguments name, each once; all of them with `all`.
Result<std::vector<std::string>> find_pods(const Globals& globals,
                                           std::span<const std::string_view> arguments, bool all);

// "POD" or "POD/CONTAINER".
Result<Target> find_target(const Globals& globals, std::string_view text);

// The container of a target: the one that is named, or the first app container.
Result<std::string> container_of(const pod::Pod& pod, std::string_view text);

Result<pod::Pod> read_pod_json(const pod::Layout& layout);

// What the pod is and how it fares. Without a living shim one is started that adopts the pod.
Result<PodView> look(const Globals& globals, const std::string& name);

// The only name among `names` that begins with `text`, or is it.
Result<std::string> unabbreviated(const std::vector<std::string>& names, std::string_view text,
                                  std::string_view what);

}  // namespace ocirt::podcli
