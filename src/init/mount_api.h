// The calls of the mount interface by descriptor (Linux 5.2, mount_setattr 5.12), which Debian 12's
// headers know in part.
#pragma once

#include <linux/mount.h>
#include <sys/mount.h>

#include "src/bare/syscall.h"
#include "src/bare/text.h"

namespace ocirt::init {

// A detached copy of the mount that `path` leads to; `recursive`: with all mounts below it;
// `nofollow`: of a symlink at the end of the path itself.
inline long open_tree(int dir, const char* path, bool recursive, bool nofollow = false) {
  unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH;
  if (recursive) flags |= AT_RECURSIVE;
  if (nofollow) flags |= AT_SYMLINK_NOFOLLOW;
  return bare::call(SYS_open_tree, dir, path, flags);
}

// What a mount goes onto: what `fd` is open on, or (not empty) `name` in it, which is no link.
struct Spot {
  int fd = -1;
  const char* name = "";
};

// Attaches a detached mount there.
inline long move_mount(int tree, Spot spot) {
  return bare::call(SYS_move_mount, tree, "", spot.fd, spot.name,
                    MOVE_MOUNT_F_EMPTY_PATH | (*spot.name == '\0' ? MOVE_MOUNT_T_EMPTY_PATH : 0));
}
inline long move_mount(int tree, int target) { return move_mount(tree, Spot{target}); }

// Changes a mount's attributes; `fd` is open on its root, or `path` leads there from it.
inline long mount_setattr(int fd, bool recursive, uint64_t set, uint64_t clear,
                          uint64_t propagation = 0, const char* path = "") {
  mount_attr attr{};
  attr.attr_set = set;
  attr.attr_clr = clear;
  attr.propagation = propagation;
  return bare::call(SYS_mount_setattr, fd, path, AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0),
                    &attr, sizeof attr);
}

// A detached copy of the mount at `spot`, read-only: one call since Linux 6.15, -ENOSYS before.
inline long copy_readonly(Spot spot, bool recursive) {
#ifndef SYS_open_tree_attr
  constexpr long SYS_open_tree_attr = 467;
#endif
  mount_attr attr{};
  attr.attr_set = MOUNT_ATTR_RDONLY;
  unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW;
  if (recursive) flags |= AT_RECURSIVE;
  return bare::call(SYS_open_tree_attr, spot.fd, spot.name, flags, &attr, sizeof attr);
}

// The same of all mounts from `spot` down, for every kernel.
inline long open_readonly_tree(Spot spot) {
  long tree = copy_readonly(spot, true);
  // EPERM: a filter that does not know the call. If it was meant, the two say so again.
  if (tree != -ENOSYS && tree != -EPERM) return tree;
  tree = open_tree(spot.fd, spot.name, true, true);
  if (tree < 0) return tree;
  long result = mount_setattr(static_cast<int>(tree), true, MOUNT_ATTR_RDONLY, 0);
  return result < 0 ? result : tree;
}

// Where the host's procfs is until the root is switched, with a slash at the end; "": where we are,
// for no path leads to it any more (lean.cc).
inline const char* host_proc = "/proc/";

// A spot as a path, for mount(2): by descriptor, so that none can be swapped between the look at it
// and the mount.
inline bare::Buffer<300> path_of(Spot spot) {
  bare::Buffer<300> path;
  path << host_proc << "self/fd/" << spot.fd;
  if (*spot.name != '\0') path << "/" << spot.name;
  return path;
}

inline long mount_on(Spot target, const char* source, const char* type, unsigned long flags,
                     const char* data) {
  return bare::mount(source, path_of(target).c_str(), type, flags, data);
}

// What is at one spot shown at another, in one call where a detached copy takes two. `recursive`:
// with all mounts below it.
inline long bind_on(Spot target, Spot source, bool recursive = false) {
  return mount_on(target, path_of(source).c_str(), nullptr, MS_BIND | (recursive ? MS_REC : 0),
                  nullptr);
}

}  // namespace ocirt::init
