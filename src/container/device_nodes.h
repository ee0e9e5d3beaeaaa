// Devices of a container with a user namespace. In there none can be made (mknod(2)), and the
// host's node of the same path, if there is one, has the host's owner and mode. So those that
// linux.devices lists are made by ocirt, on a tmpfs that is mounted nowhere; init gets it as a
// descriptor, and binds each node to its path.
#pragma once

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/container/draft.h"

namespace ocirt::container {

// Makes draft.device_nodes and puts the tree into the plan. It has to stay open until init is
// started, and in init. An invalid descriptor, without any call, where there are none; and where we
// may make no devices either: then init binds those of the host.
Result<UniqueFd> make_device_nodes(Draft& draft);

}  // namespace ocirt::container
