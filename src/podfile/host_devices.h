// The device nodes of the host, for containers that are privileged.
#pragma once

#include <vector>

#include "oci-spec/linux.h"
#include "src/base/result.h"

namespace ocirt::podfile {

// Below /dev, without what every container has of its own: terminals, shared memory, queues.
Result<std::vector<oci::Device>> host_devices();

}  // namespace ocirt::podfile
