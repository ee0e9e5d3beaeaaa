// `pause` and `resume`: all processes of a container stop where they are, and go on.
#pragma once

#include <string>

#include "src/base/result.h"
#include "src/container/store.h"

namespace ocirt::container {

// Freezes a created or running container; returns when the kernel reports every process frozen.
// Errors: paused already, stopped (`container not running`), no freezer on this host.
Result<> pause(const Store& store, const std::string& id);

// Thaws a paused container. Error: it is not paused.
Result<> resume(const Store& store, const std::string& id);

}  // namespace ocirt::container
