// Mounts that ocirt prepares and init only attaches. Mapping ids takes rights over the file system
// and a user namespace with the mapping, which init does not have once it is in the container's;
// and a process inside a running container does not see the host's files at all. So ocirt copies
// the source as a detached mount tree and hands it over as a descriptor.
#pragma once

#include <vector>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/container/draft.h"

namespace ocirt::container {

// Opens draft.trees and puts the descriptors into the plan's mounts. They have to stay open until
// init is started, and in init (LaunchRequest::trees). No call for a container without such mounts.
Result<std::vector<UniqueFd>> open_mount_trees(Draft& draft);

}  // namespace ocirt::container
