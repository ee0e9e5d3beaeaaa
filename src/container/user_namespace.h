// What a container's init in a user namespace cannot do for itself and asks us to do: its files in
// /proc are closed to it (init/user_namespace.cc), and what it is to mount may be in a directory of
// the host that the namespace's users may not pass.
#pragma once

#include <sys/types.h>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/container/draft.h"

namespace ocirt::container {

// Init says Unmapped: writes the id maps of a new user namespace (an ordinary user: with the help
// of newuidmap(1) and newgidmap(1), unless only its own id is mapped), or compares those of a
// joined one with the configuration's; writes the clock offsets and the oom score.
Result<> settle_user_namespace(pid_t init, const Draft& draft);

// Init says Fetch: what the numbered bind mount of the plan is to show (plan::kNoIndex: the root),
// opened by our rights but in init's mounts, so that it keeps what the kernel has locked there.
Result<UniqueFd> fetch_source(pid_t init, const Draft& draft, uint32_t number);

}  // namespace ocirt::container
