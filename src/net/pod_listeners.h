// Ports of the host that a pod cannot have because a process of the host listens there: traffic
// would go to the pod from then on, and the process wonder.
#pragma once

#include <vector>

#include "src/base/result.h"
#include "src/net/pod_request.h"

namespace ocirt::net {

// An error that names the port and the process when somebody listens on one of them, or when the
// host has no such address.
Result<> check_unused(const std::vector<PodPort>& ports);

}  // namespace ocirt::net
