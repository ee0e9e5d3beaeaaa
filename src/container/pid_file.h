// --pid-file: where callers read the pid of a container's first process, or of that of `exec`.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>

#include "src/base/result.h"

namespace ocirt::container {

// A pid file that has been written. It is removed again unless it is kept: a pid that nobody has
// is worse than none.
class PidFile {
 public:
  PidFile() = default;
  PidFile(PidFile&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  PidFile& operator=(PidFile&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  ~PidFile();

  // The pid without a newline, as a whole or not at all; in place of what is there, which is not
  // followed if it is a link. Nothing for an empty path. Errors name --pid-file and the path.
  static Result<PidFile> write(const std::string& path, pid_t pid);

  // What it belongs to has begun.
  void keep() { path_.clear(); }

 private:
  std::string path_;
};

}  // namespace ocirt::container
