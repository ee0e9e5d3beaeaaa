// Names of resource limits (config.md, "POSIX process", `rlimits`; getrlimit(2)).
//
// Unlike a capability, an unknown limit is an error: the specification wants one for every value
// that cannot be mapped to a kernel interface.
#pragma once

#include <string_view>

#include "src/base/result.h"

namespace ocirt {

// The number of "RLIMIT_NOFILE". Error: names the text and lists the names that exist.
Result<int> rlimit_number(std::string_view name);

}  // namespace ocirt
