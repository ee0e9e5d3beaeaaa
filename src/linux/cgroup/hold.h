// The kernel keeps the name of a directory that was removed (a negative dentry, 192 bytes, in each
// hierarchy) for whoever looks for it again. Of containers that come and go, each with a name of
// its own, it would have ever more until memory is short. It keeps none of a directory that
// somebody has open while it is removed. (A file in it that is open then is kept, and the directory
// with it.) `ocirt run` does without: it is one call more for each.
#pragma once

#include <vector>

#include "src/base/fd.h"
#include "src/linux/cgroup/cgroup.h"

namespace ocirt::cgroup {

// The directories that are there, to be held until they are removed.
std::vector<UniqueFd> hold(const Location& location);

}  // namespace ocirt::cgroup
