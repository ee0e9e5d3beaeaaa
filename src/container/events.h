// `events`: what a container uses, now and then, and what happens to it. Not in the specification;
// the form is runc's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "src/base/result.h"
#include "src/container/store.h"

namespace ocirt::container {

// Takes one line with its newline; an error of it ends the events.
using LineSink = Result<> (*)(std::string_view line);

// One line of statistics.
Result<std::string> stats(const Store& store, const std::string& id);

// Hands a line of statistics every `interval_ms` milliseconds to `sink`, and a line for each
// process that the memory limit kills, until nobody is left in the container's cgroup. A container
// that has stopped is `container not running`.
Result<> events(const Store& store, const std::string& id, int64_t interval_ms, LineSink sink);

}  // namespace ocirt::container
