// Hears of changes in directories (inotify(7)): how one follows files that others write.
#pragma once

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/sys/cstr.h"

namespace ocirt::sys {

class Changes {
 public:
  static Result<Changes> open();
  // Files of the directory that are written, made, renamed or removed count from now on, and the
  // end of the directory itself.
  Result<> watch_directory(CStr path);
  // Readable when there was a change.
  Fd fd() const { return fd_; }
  // Forgets what there was.
  void drain();

 private:
  UniqueFd fd_;
};

}  // namespace ocirt::sys
