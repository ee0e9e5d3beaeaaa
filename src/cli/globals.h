// The options before the command.
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

// Where the state is unless --root says so: /run/ocirt for root, below $XDG_RUNTIME_DIR for others,
// also for those who are root in a user namespace of theirs.
std::string default_root();

// Whether root here is root of an ordinary user's namespace, and no more on the host than that
// user:
// --rootless auto is true then.
bool is_root_of_a_user();

}  // namespace ocirt::cli
