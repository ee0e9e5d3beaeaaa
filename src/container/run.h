// `run`: create, start, and unless detached stay until the program's end.
#pragma once

#include "src/base/result.h"
#include "src/container/options.h"
#include "src/container/store.h"
#include "src/container/warnings.h"

namespace ocirt::container {

// Returns the program's exit status, or 128 plus the signal that ended it; 0 when detached. An
// attached container is deleted at its end unless options.keep. Warnings are appended to
// `warnings`, and to `complaints` what the user has to know although it is no failure.
Result<int> run(const Store& store, const GlobalOptions& global, const CreateOptions& options,
                Warnings& warnings, Warnings& complaints);

}  // namespace ocirt::container
