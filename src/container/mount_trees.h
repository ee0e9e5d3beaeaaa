// Mounts that ocirt prepares and init only attaches. Mapping ids takes rights over the file system
// and a user namespace with the mapping, which init does not have once it is in the container's;
// and a process inside a running container does not see the host's files at all. So ocirt copies
// the source as a detached mount tree and hands it over as a descriptor. Devices are the same: in a
// user namespace init can make none, and the host's have another owner or are not there.
#pragma once

#include <vector>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/container/draft.h"

namespace ocirt::container {

// Opens draft.trees and draft.nodes and puts the descriptors into the plan's mounts and devices. A
// device that this kernel cannot hand over (before 6.15) is left to init, which binds the host's.
// They have to stay open until init is started, and in init (LaunchRequest::trees). No call for a
// container without such mounts.
Result<std::vector<UniqueFd>> open_mount_trees(Draft& draft);

}  // namespace ocirt::container
