// The end of a program of ours that has a bug, or whose libraries have.
#pragma once

#include <string_view>

namespace ocirt {

// Says "ocirt: internal error: WHAT" on standard error and aborts. Neither allocates nor formats.
[[noreturn]] void end_with(std::string_view what, std::string_view detail = {});

}  // namespace ocirt
