// `delete`: undoes what `create` made, then runs the poststop hooks (runtime.md, "Delete").
#pragma once

#include <span>
#include <string>

#include "oci-spec/hooks.h"
#include "src/base/result.h"
#include "src/container/record.h"
#include "src/container/store.h"
#include "src/container/warnings.h"

namespace ocirt::container {

// Removes a stopped container: what is left in its cgroup, the cgroup, the state directory. After
// that the poststop hooks run, as config.json had them at `create`; what they fail at is a warning,
// as the specification demands ("MUST log a warning, but the remaining hooks and lifecycle
// continue"). A created container is killed first. `force` kills running and paused ones too, takes
// away what an interrupted `create` left behind, and is content with an id that nobody has.
//
// Errors: `cannot delete container ID that is not stopped: running`; and whatever the kernel
// refuses: the state directory then stays, so that `delete` can be repeated.
Result<Warnings> remove_container(const Store& store, const std::string& id, bool force);

// The same for a container whose init is known to have ended, with its directory open and locked:
// the end of an attached `run`. `poststop` are its hooks.
Result<Warnings> dismantle(const Store& store, const Directory& directory, const Record& record,
                           std::span<const oci::Hook> poststop);

}  // namespace ocirt::container
