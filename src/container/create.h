// `create`: everything up to a container whose init waits for `start` (runtime.md, "Create").
#pragma once

#include <string>

#include "src/base/result.h"
#include "src/container/options.h"
#include "src/container/store.h"
#include "src/container/warnings.h"

namespace ocirt::container {

// Makes the container and returns when its init waits, is in its cgroups and is on record; the pid
// file is written then. On failure nothing is left but what prestart hooks did outside. Returned
// are warnings.
Result<Warnings> create(const Store& store, const GlobalOptions& global,
                        const CreateOptions& options, Warnings& complaints);

}  // namespace ocirt::container
