// The options before the command, and what they ask for that is not there yet.
#pragma once

#include <span>
#include <string>

#include "src/cli/options.h"
#include "src/container/options.h"

namespace ocirt::cli {

struct GlobalArguments : container::GlobalOptions {
  bool version = false;
};

std::span<const Option> global_options();

// Where the state is unless --root says so: /run/ocirt for root, below $XDG_RUNTIME_DIR for others.
std::string default_root();

// Whether containers can be made with the rights that these options ask for. What is not there is
// refused ("not supported: ..."), never ignored; the library does the same for cgroup managers.
Result<> check_supported(const container::GlobalOptions& global);

}  // namespace ocirt::cli
