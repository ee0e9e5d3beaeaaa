// Small facts about a Location that several files of this folder need. Private to
// src/linux/cgroup/.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "src/linux/cgroup/cgroup.h"

namespace ocirt::cgroup {

// Parts of a path that every text of this folder uses.
std::string join(std::string_view directory, std::string_view name);
std::string_view parent_of(std::string_view path);

// Whether `controllers` ("cpu,cpuacct") names this controller.
bool lists_controller(std::string_view controllers, std::string_view controller);

// Words of a control file such as cgroup.controllers.
std::vector<std::string_view> words(std::string_view text);

// The container's directory of a v1 controller, or nullptr.
const Directory* v1_directory(const Location& location, std::string_view controller);

// The container's directory in the cgroup2 tree (unified, or the one without controllers of a
// hybrid host), or nullptr.
const Directory* v2_directory(const Location& location);

// The value after "KEY " in a file of such lines (cgroup.events, cpu.stat), or an empty text.
std::string_view value_of(std::string_view text, std::string_view key);

// An error of the file system that says "No such file or directory" is taken by callers for a
// missing command: this says what is missing in words of our own and leaves other errors as they
// are.
Error reword_missing(Error error, std::string_view path);

}  // namespace ocirt::cgroup
