// The program that becomes the container's first process, with its plan, in one sealed file:
// nobody, root in the container included, can change either (docs/security.md, CVE-2019-5736).
#pragma once

#include <string_view>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace ocirt::container {

// To be executed by this descriptor, as plan::kInitName. Close-on-exec.
Result<UniqueFd> init_program(std::string_view plan);

}  // namespace ocirt::container
