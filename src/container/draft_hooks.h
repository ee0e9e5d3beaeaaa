// The hooks that a container's init runs by itself (config.md, "POSIX-platform Hooks").
#pragma once

#include <optional>
#include <span>
#include <string>

#include "oci-spec/hooks.h"
#include "src/plan/builder.h"

namespace ocirt::container {

// Fills in plan.create_container, plan.start_container and plan.hooks_outside. A hook that has no
// environment gets `environment`, which is the container's: the specification is silent about it,
// and other runtimes do so.
void draft_hooks(plan::Builder& builder, const std::optional<oci::Hooks>& hooks,
                 std::span<const std::string> environment);

}  // namespace ocirt::container
