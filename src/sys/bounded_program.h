// A program that works for long, for a caller that may be killed meanwhile: it does not go on for
// nobody, nor for ever.
#pragma once

#include <span>
#include <string>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/sys/event_loop.h"

namespace ocirt::sys {

// Runs argv[0] as program_output() does, without what it prints. It and what it starts get SIGKILL
// when we end, or after `limit`: then the code is ETIMEDOUT. It inherits `held`, so that a lock
// (flock(2)) stays taken until the last of them has ended.
Result<> run_bounded(std::span<const std::string> argv, Fd held, Nanoseconds limit);

}  // namespace ocirt::sys
