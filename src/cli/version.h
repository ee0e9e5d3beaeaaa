// Which ocirt this is.
#pragma once

#include <string>
#include <string_view>

namespace ocirt::cli {

std::string_view version();  // "0.1.0"
std::string_view commit();   // as git describes it, "unknown" outside of a repository

// What --version prints: "ocirt version X", "commit: C", "spec: S" (moby splits at these words),
// and the libraries inside.
std::string version_text();

}  // namespace ocirt::cli
