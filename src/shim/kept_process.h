// Processes of a pod that outlive its shim and are no container: on record by a file each, so that
// whoever comes next finds them, and takes nobody else for them.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace ocirt::shim {

// Writes pid and start time to `path`.
Result<> record_process(const std::string& path, pid_t pid);

struct KeptProcess {
  pid_t pid = 0;
  UniqueFd pidfd;
};
// The one on record, if it still lives.
Result<std::optional<KeptProcess>> find_process(const std::string& path);

// Kills it and waits until it has ended. No record, or nobody who lives: nothing to do.
Result<> end_process(const std::string& path);

}  // namespace ocirt::shim
