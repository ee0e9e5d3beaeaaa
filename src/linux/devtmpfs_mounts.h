// A mount namespace with next to nothing in it, to make a container's of.
//
// Every new mount namespace is a copy of its maker's (clone(2), CLONE_NEWNS), so that a container
// costs more the more mounts the host has: 1.6 ms with 1000, of which nothing stays. But
// every kernel with devtmpfs has a thread, kdevtmpfs, that left the host's namespace before there
// were mounts, and lives in one of two. Its copy costs nothing.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "src/base/fd.h"

namespace ocirt {

// Where it is: /proc/THREAD/ns/mnt, if that has this inode number.
struct DevtmpfsMounts {
  pid_t thread = 0;
  uint64_t inode = 0;
};

// The namespace of kdevtmpfs; nothing where it cannot be had: no such thread in this pid namespace,
// or no right to it. The first call looks for the thread where it is likely to be and leaves the
// answer at `directory` as an extended attribute, from where later ones have it by one system call.
// Nothing where `directory` is not on a tmpfs, which ends with the kernel's run as the answer does.
// The note may be wrong (in another pid namespace): whoever opens the namespace checks the inode.
std::optional<DevtmpfsMounts> find_devtmpfs_mounts(Fd directory);

}  // namespace ocirt
