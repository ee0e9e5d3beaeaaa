// Which ocirt this is.
#pragma once

#include <string_view>

namespace ocirt {

std::string_view version();  // "0.1.0"
std::string_view commit();   // as git describes it, "unknown" outside of a repository

}  // namespace ocirt
