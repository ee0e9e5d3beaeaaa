// Paths of the container before its root is ours. Every one is resolved by the kernel with the
// container's root as the top (openat2(2), RESOLVE_IN_ROOT): no symlink of an image leads out, also
// not while another process swaps directories. What was resolved is then used by descriptor only.
#pragma once

#include "src/init/init.h"

namespace ocirt::init {

// Opens; returns -errno on failure. `flags` such as O_PATH; `resolve` adds RESOLVE_* flags.
long open_in_root(const Init& init, const char* path, int flags, uint64_t resolve = 0);

// Opens the directory (O_PATH), making what is missing of it with mode 0755, the targets of
// symlinks that lead to nothing as well. Fails the step. `links`: how many such have led here.
int open_directory(const Init& init, const char* path, uint64_t resolve = 0, int links = 0);

// Splits "/a/b/c" into the directory "/a/b" (opened as by open_directory) and the name "c". The
// descriptor is kept for the next call with the same directory, and is a scratch one (scratch.h).
class Parent {
 public:
  // The directory; `name` then points at the last component, in `path`.
  int of(const Init& init, const char* path, const char*& name);
  // Whether the kept descriptor is the one of path's directory.
  bool is_of(const char* path) const;
  int fd() const { return fd_; }
  // The directory "/dev/" is known already.
  void is_dev(int fd) {
    path_ = "/dev/";
    size_ = 5;
    fd_ = fd;
  }
  // It may have been closed, or something mounted over what is kept.
  void forget() { fd_ = -1; }
  // A file system without content has been mounted there: to look in it first would be in vain.
  void is_empty(const char* directory) { empty_ = directory; }
  bool is_below_empty(const char* path) const;

 private:
  const char* path_ = nullptr;
  size_t size_ = 0;
  int fd_ = -1;
  const char* empty_ = nullptr;
};

// A place to mount on: opened, or made (and then certainly empty and of the directory's file
// system).
struct Target {
  int fd = -1;
  bool made = false;
  // Reached without any symlink, and by a name that is not below /proc: not inside procfs.
  bool literal = false;
};

// Directory or file at `path`, O_PATH; made when missing, with all directories on the way. Fails
// the step. `real`: a symlink on the way is an error. `follow`: a symlink at the end is followed,
// else it is what is opened. `links` as above.
Target open_or_make_directory(const Init& init, Parent& parent, const char* path, bool real);
Target open_or_make_file(const Init& init, Parent& parent, const char* path, bool follow = true,
                         int links = 0);

}  // namespace ocirt::init
