// Lengths of time on the command line, as Go programs write them ("1m30s", "500ms"), since callers
// pass on what they got from their own users.
#pragma once

#include <cstdint>
#include <string_view>

#include "src/base/result.h"

namespace ocirt::cli {

// "5s", "1.5h", "2h45m", "300ms", or a whole number of seconds: milliseconds, rounded up. 0, what
// is negative, and what does not fit are errors.
Result<int64_t> parse_duration(std::string_view text);

}  // namespace ocirt::cli
