// Whether a container's mount namespace can begin with the host's root alone.
//
// CLONE_NEWNS copies every mount of the host, of which nothing stays but what the container is
// given: on a node with thousands of mounts that takes longer than all the rest of a start.
// Linux 7.0 makes a namespace of one tree (open_tree(2), OPEN_TREE_NAMESPACE). What is needed of
// the host is then opened before it is entered (init/lean.cc), and where that cannot be known
// beforehand, the copy is made as ever.
#pragma once

#include "src/container/draft.h"

namespace ocirt::container {

// Pure; `draft` is complete but for this. False in every case of doubt: user namespaces, mounts
// that are to reach the host or are the container's root, hooks and file systems that look for
// paths of the host, sources inside of the rootfs itself, which change while it is built.
bool can_be_lean(const Draft& draft, const DraftInput& input);

}  // namespace ocirt::container
