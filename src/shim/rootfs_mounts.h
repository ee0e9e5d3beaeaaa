// The mounts that a client of the Task service wants at BUNDLE/rootfs before a container is created
// there (containerd.types.Mount: what containerd's snapshotters say). They are made in the shim's
// mount namespace, which is containerd's: it sees them, and can take them away when no shim is left
// to do it. So nothing has to be remembered: whatever is mounted there is the container's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "src/base/result.h"

namespace ocirt::shim {

struct RootfsMount {
  std::string type, source, target;  // target: a directory of the mounts before it, or empty
  std::vector<std::string> options;
};

// One as the kernel is asked for it.
struct MountCall {
  bool bind = false, recursive = false;
  bool loop = false;            // the source is a file that becomes a loop device
  uint64_t flags = 0;           // MS_*; of a bind, they are `set` and `clear`
  uint64_t set = 0, clear = 0;  // MOUNT_ATTR_* of the mount, after it was made
  uint64_t recursive_set = 0, recursive_clear = 0;  // of all below it as well
  std::vector<uint64_t> propagation;
  std::string directory;  // from where paths in `data` lead; empty: they are all absolute
  std::string data;
  // Whose ids are shown instead (mapped_mounts.h), as lines of user_namespaces(7); empty: as they
  // are.
  std::string uid_map, gid_map;
  std::vector<std::string> layers;  // of an overlay with those: they are not in `data`
  // The program that makes the mount, mount.fuse or mount.fuse3, with what follows the target.
  std::string helper;
  std::vector<std::string> helper_words;
};

// Decides, without looking at the host. Options that begin with "X-" or "x-" are notes for other
// programs. The layers of an overlay that need more than `most` bytes are said relative to the
// directory that they have in common, as containerd does; what is longer even so is refused.
// "uidmap=INSIDE:OUTSIDE:SIZE,..." and "gidmap=...", which come together, are a user namespace's:
// the snapshotters' words for a root file system whose files belong to it without having been
// changed. The types "fuse.PROGRAM" and "fuse3.PROGRAM" are file systems that PROGRAM serves, which
// mount.fuse(8) starts.
Result<MountCall> decide_mount(const RootfsMount& mount, size_t most);

// Makes all of them in order, or none. Errors name number, type, source, target and options.
Result<> mount_rootfs(const std::string& bundle, std::span<const RootfsMount> mounts);

// Takes away whatever is mounted at or below BUNDLE/rootfs. May be repeated; also for a container
// that was half made by a shim that was killed (`delete` on its command line).
Result<> unmount_rootfs(const std::string& bundle);

}  // namespace ocirt::shim
