// `start`: lets a created container's init go on to its program (runtime.md, "Start").
#pragma once

#include <span>
#include <string>

#include "oci-spec/hooks.h"
#include "src/base/result.h"
#include "src/container/store.h"

namespace ocirt::container {

// Returns when the program runs: init's errors on the way (startContainer hooks, the exec itself)
// are returned, and so is that of a poststart hook, after which the container is killed.
Result<> start(const Store& store, const std::string& id);

// Runs the poststart hooks; on failure kills init and returns the error.
Result<> finish_start(std::span<const oci::Hook> poststart, const Record& record, Fd init);

}  // namespace ocirt::container
