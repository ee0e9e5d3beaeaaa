// Descriptors that a step opens and needs for a moment only: they are not closed one by one but
// swept together. All are close-on-exec, and a close for each would be a tenth of all of init's
// system calls.
#pragma once

#include "src/init/init.h"

namespace ocirt::init {

// Closes every descriptor but the standard streams, those of --preserve-fds, and those that the
// rest of init's life needs.
void sweep(const Init& init);

// Counts uses of scratch descriptors and sweeps before they could come near a limit on open files.
class Scratch {
 public:
  explicit Scratch(const Init& init) : init_(init) {}
  // True when it has swept: descriptors that the caller still held are gone.
  bool used(unsigned count) {
    used_ += count;
    if (used_ < kMost) return false;
    sweep(init_);
    used_ = 0;
    return true;
  }

 private:
  static constexpr unsigned kMost = 128;
  const Init& init_;
  unsigned used_ = 0;
};

}  // namespace ocirt::init
