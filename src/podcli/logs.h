// What logs and attach have in common.
#pragma once

#include <string>
#include <vector>

#include "src/pod/paths.h"

namespace ocirt::podcli {

// Whether nothing more will be written: by what the shim has written down, since following must not
// keep asking it.
bool has_ended(const pod::Layout& layout, const std::vector<std::string>& containers);

}  // namespace ocirt::podcli
