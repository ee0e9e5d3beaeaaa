// Detached mount trees (open_tree(2), mount_setattr(2)): copies of mounts that belong to no mount
// namespace until somebody attaches them by descriptor.
#pragma once

#include <cstdint>
#include <string>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/sys/cstr.h"

namespace ocirt::sys {

// A detached copy of the mount that `path` is on, from `path` down; `recursive`: with the mounts
// below it; `follow`: a symlink at its end.
Result<UniqueFd> open_mount_tree(CStr path, bool recursive, bool follow);

// Shows the ids of the tree as the user namespace maps them (MOUNT_ATTR_IDMAP). Code EINVAL when a
// file system cannot do that, EPERM when it has been done already.
Result<> map_mount_ids(Fd tree, bool recursive, Fd user_namespace);

// Sets MOUNT_ATTR_* of the top of the tree.
Result<> set_tree_attributes(Fd tree, uint64_t set);

// Puts the tree at `path`, in this mount namespace (move_mount(2)); following symlinks.
Result<> attach_mount_tree(Fd tree, CStr path);

// MS_SLAVE, MS_PRIVATE, ... for every mount of the tree.
Result<> set_mount_propagation(Fd tree, uint64_t propagation);

// Sets and clears MOUNT_ATTR_* of what is mounted at `path`, with `recursive` of everything below
// it too; all others stay as they are.
Result<> set_mount_attributes(CStr path, bool recursive, uint64_t set, uint64_t clear);
// The same as set_mount_propagation() for what is mounted at `path` (`recursive`: and below).
Result<> set_mount_propagation_at(CStr path, bool recursive, uint64_t propagation);

// The type of the file system that `path` is on, from /proc/self/mountinfo: for error messages,
// since its size grows with the host.
Result<std::string> mounted_filesystem(CStr path);

// The number of the topmost mount in which `path` is (statx(2), STATX_MNT_ID).
Result<uint64_t> mount_id(CStr path);

// Takes away what is mounted at `path`, with everything below it, from this mount namespace alone:
// mounts that these are copies of stay.
Result<> unmount_tree(CStr path);

}  // namespace ocirt::sys
