// `ps`: which processes a container has. They are those of its cgroup, so that processes of `exec`
// and of a shared pid namespace are told apart, which no walk through /proc could do.
#pragma once

#include <sys/types.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "src/container/store.h"

namespace ocirt::container {

// Ascending pids of this pid namespace; none for a stopped container. One with neither a cgroup nor
// a pid namespace of its own is an error: nothing tells which processes it has.
Result<std::vector<pid_t>> processes(const Store& store, const std::string& id);

// Of the output of ps(1) the header and the lines of these processes. The column is found by the
// word PID in the header, since the arguments of ps(1) decide where it is; without it, an error.
Result<std::string> select_lines(std::string_view table, std::span<const pid_t> pids);

// Runs the host's ps(1) with `arguments` (none: -ef) and selects its lines.
Result<std::string> process_table(std::span<const pid_t> pids,
                                  std::span<const std::string_view> arguments);

}  // namespace ocirt::container
