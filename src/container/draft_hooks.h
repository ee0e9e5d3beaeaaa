// The hooks that a container's init runs by itself (config.md, "POSIX-platform Hooks").
#pragma once

#include <optional>

#include "oci-spec/hooks.h"
#include "src/plan/builder.h"

namespace ocirt::container {

// Fills in plan.create_container, plan.start_container and plan.hooks_outside.
void draft_hooks(plan::Builder& builder, const std::optional<oci::Hooks>& hooks);

}  // namespace ocirt::container
