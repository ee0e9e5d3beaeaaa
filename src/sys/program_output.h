// Asks a program of the host and takes what it prints.
#pragma once

#include <span>
#include <string>

#include "src/base/result.h"

namespace ocirt::sys {

// Runs argv[0], found by PATH, with our environment and standard error and no standard input, and
// returns its standard output (at most 16 MiB) when it has ended with status 0. Code ENOENT when
// there is no such program.
Result<std::string> program_output(std::span<const std::string> argv);

}  // namespace ocirt::sys
