// Whether a container's mount namespace can be made without the host's mounts.
//
// CLONE_NEWNS copies every mount of the host, of which nothing stays but what the container is
// given: on a node with thousands of mounts that takes longer than all the rest of a start. And
// pivot_root(2), which takes them away again, looks at every process of the host. Linux 7.0 makes a
// namespace of one tree (open_tree(2), OPEN_TREE_NAMESPACE); before, there is one with two mounts
// that can be copied (linux/devtmpfs_mounts.h). What is needed of the host is opened while init is
// in its namespace (init/lean.cc); where that cannot be known beforehand, the host's is copied as
// ever.
#pragma once

#include "src/container/draft.h"

namespace ocirt::container {

// Pure; `draft` is complete but for this. False in every case of doubt: user namespaces, mounts
// that are to reach the host or are the container's root, hooks and file systems that look for
// paths of the host, sources inside of the rootfs itself, which change while it is built. Where
// something else is copied than the host's, a container that may have CAP_SYS_ADMIN neither.
bool can_be_lean(const Draft& draft, const DraftInput& input);

}  // namespace ocirt::container
