// What this runtime can do, as engines ask before they use it (features.md, features-linux.md).
#pragma once

#include <string_view>

#include "oci-spec/features.h"

namespace ocirt::container {

// `version` and `commit` of the program become annotations. Everything else is taken from the
// tables that the work is done with, or says "no" where there is nothing yet. Needs no root, no
// container and no state directory; the kernel is only asked which seccomp flags it has, and
// whether the programs that come with ocirt are there is looked up.
oci::Features features(std::string_view version, std::string_view commit);

}  // namespace ocirt::container
