// The racing half of attacks on paths.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>

#include "tests/support/process.h"

namespace harness {

// A process of another container with the same volume, which swaps a directory and a link.
class Swapper {
 public:
  Swapper(const std::string& one, const std::string& other) {
    pid_ = fork();
    if (pid_ != 0) return;
    for (;;)
      syscall(SYS_renameat2, AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE);
  }
  ~Swapper() {
    kill(pid_, SIGKILL);
    wait_for_end(pid_);
  }
  Swapper(const Swapper&) = delete;
  Swapper& operator=(const Swapper&) = delete;

 private:
  pid_t pid_;
};

}  // namespace harness
