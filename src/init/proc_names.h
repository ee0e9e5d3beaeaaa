// What the container's procfs has at its top, learned by one getdents64(2): of the dozen paths
// there that every engine masks or makes read-only, half do not exist in a given kernel, and each
// of the others would have to be opened only to learn whether it is a directory.
//
// Names in procfs are the kernel's. Nobody in a container can make, replace or link any, so one
// that has been listed as a file or a directory can be used by its name, relative to the directory
// that was listed; a link (/proc/net) or a path that goes deeper is resolved like any other.
#pragma once

#include "src/init/init.h"

namespace ocirt::init {

class ProcNames {
 public:
  // Lists /proc, if it is a procfs and the plan has paths enough below it to make that worth while.
  // Only once: the descriptor stays, as Init::proc.
  static const ProcNames& of(Init& init);

  enum class Kind { unknown, absent, file, directory };
  // What "/proc/NAME" is; `name` then points at NAME. Any other path is unknown.
  Kind kind(const char* path, const char*& name) const;
  int fd() const { return fd_; }

 private:
  void list(const Init& init);
  int fd_ = -1;
  size_t size_ = 0;  // of what has been listed; 0: nothing is known
};

}  // namespace ocirt::init
