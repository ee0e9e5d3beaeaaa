// Asks a program of the host and takes what it prints.
#pragma once

#include <span>
#include <string>

#include "src/base/result.h"

namespace ocirt::sys {

// Runs argv[0], found by PATH, with our environment and standard error and no standard input, and
// returns its standard output (at most 16 MiB) when it has ended with status 0. Code ENOENT when
// there is no such program. With `errors_too` it is for programs that say nothing but why they
// failed, on either stream: then that is the error.
Result<std::string> program_output(std::span<const std::string> argv, bool errors_too = false);

}  // namespace ocirt::sys
