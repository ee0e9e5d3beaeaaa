// What --version prints.
#pragma once

#include <string>

#include "src/base/version.h"

namespace ocirt::cli {

using ocirt::commit;
using ocirt::version;

// "ocirt version X", "commit: C", "spec: S" (moby splits at these words), and the libraries inside.
std::string version_text();

}  // namespace ocirt::cli
