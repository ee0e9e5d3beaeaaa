// `start`: lets a created container's init go on to its program (runtime.md, "Start").
#pragma once

#include <span>
#include <string>

#include "oci-spec/hooks.h"
#include "src/base/result.h"
#include "src/container/store.h"
#include "src/container/warnings.h"

namespace ocirt::container {

// Returns when the program runs: init's errors on the way (startContainer hooks, the exec itself)
// are returned, and so is that of a poststart hook, after which the container is killed. With
// NOTIFY_SOCKET it returns when the program is ready or has ended; what then went wrong is in the
// warnings, since the container runs.
Result<Warnings> start(const Store& store, const std::string& id);

// Runs the poststart hooks; on failure kills init and returns the error.
Result<> finish_start(std::span<const oci::Hook> poststart, const Record& record, Fd init);

}  // namespace ocirt::container
