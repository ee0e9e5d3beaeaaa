// Controllers of the cgroup2 tree: a cgroup has those that its parent hands down in
// cgroup.subtree_control (cgroups(7), "Cgroups v2 subtree control"). Private to src/linux/cgroup/.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"

namespace ocirt::cgroup {

// Enables for the children of every ancestor of `path` all controllers that the top of the tree
// has. What cannot be enabled (a busy or foreign ancestor) is left out without an error: whether it
// is missed is known when a limit is written. Two reads when all is enabled already, one when the
// caller has read the cgroup.controllers of the usual top: `top_controllers`, empty where it has
// not.
Result<> enable_available_controllers(const std::string& path,
                                      std::string_view top_controllers = {});

// The same for some controllers only.
Result<> enable_controllers(const std::string& path, const std::vector<std::string>& wanted);

// The topmost directory of the cgroup2 tree that `path` is in, as mounted.
std::string top_of_tree(const std::string& path);

}  // namespace ocirt::cgroup
