// Starting a program that goes on by itself, for a process that serves: nobody waits here for it to
// end.
#pragma once

#include <sys/types.h>

#include <span>
#include <string>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace ocirt::sys {

// Executes argv[0], an absolute path, with exactly this environment, /dev/null as its standard
// streams and `descriptors` as 3, 4, ...; in a process group of its own, with no signal blocked. It
// is a child of ours: its end is for us to reap.
Result<pid_t> start_program(std::span<const std::string> argv,
                            std::span<const std::string> environment,
                            std::span<const Fd> descriptors);

}  // namespace ocirt::sys
