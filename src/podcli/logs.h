// What logs and attach have in common.
#pragma once

#include <string>
#include <vector>

#include "src/pod/paths.h"
#include "src/pod/status.h"

namespace ocirt::podcli {

// Whether nothing more will be written: by what the shim has written down, since following must not
// keep asking it. `last` gets the status that says so; of a pod that has been removed there is
// none.
bool has_ended(const pod::Layout& layout, const std::vector<std::string>& containers,
               pod::PodStatus* last = nullptr);

}  // namespace ocirt::podcli
