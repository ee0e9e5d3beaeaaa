// User and time namespaces (config-linux.md, "User namespace mappings" and "Offset for Time
// Namespace"), decided before any process exists.
#pragma once

#include "src/container/draft.h"
#include "src/container/exec_settings.h"

namespace ocirt::container {

// linux.timeOffsets as the line or two that the kernel takes for them.
void draft_clock_offsets(plan::Builder& builder, const oci::Linux& linux);

// Fills draft.user and plan.user when the container has another user namespace than we, moves the
// other namespaces into its hands, and refuses what cannot work in it: ids that are not mapped and
// mounts that belong to the host. Also refuses what an ordinary user cannot have. After the
// namespaces have been drafted.
Result<> draft_user_namespace(Draft& draft, const DraftInput& input);

// The same for a process of `exec`, in a container that has one.
Result<> draft_exec_user(Draft& draft, const ExecSettings& settings, bool rootless);

// The id on the host; nothing when it is not mapped.
std::optional<uint32_t> host_id(const std::vector<oci::IdMapping>& mappings, uint32_t id);

// Whether an ordinary user needs no help to map this: itself, as one id.
bool is_own_id(const std::vector<oci::IdMapping>& mappings, uint32_t own);

}  // namespace ocirt::container
