// Kubernetes' quantities: a decimal number with a unit of powers of ten (n u m k M G T P E), of two
// (Ki Mi Gi Ti Pi Ei), or an exponent (1e3).
#pragma once

#include <cstdint>
#include <string_view>

#include "src/base/result.h"

namespace ocirt::podfile {

// The quantity in whole units, such as bytes; a part of a unit counts as one. At most INT64_MAX.
Result<int64_t> units(std::string_view text);

// The quantity in thousandths, such as those of a CPU.
Result<int64_t> thousandths(std::string_view text);

}  // namespace ocirt::podfile
