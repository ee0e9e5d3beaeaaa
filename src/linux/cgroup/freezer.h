// The freezer with a deadline of the caller's choice. Private to src/linux/cgroup/.
#pragma once

#include <string>

#include "src/base/result.h"
#include "src/linux/cgroup/cgroup.h"

namespace ocirt::cgroup {

// freeze() and thaw(), waiting at most `timeout_ms`. A cgroup that does not freeze in time is
// thawed again: half frozen, it would hang whatever its processes have begun.
Result<> freeze_within(const Location& location, int timeout_ms);
Result<> thaw_within(const Location& location, int timeout_ms);

// Thaws a directory of the v1 freezer and all below it, where a container may have frozen
// containers of its own: what v1 has frozen does not die of SIGKILL. What is gone is no error.
Result<> thaw_v1_below(const std::string& directory);

}  // namespace ocirt::cgroup
