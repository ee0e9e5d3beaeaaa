// A pod's network as a whole: the request of a shim carried out.
#pragma once

#include <string>

#include "src/base/result.h"
#include "src/net/pod_request.h"

namespace ocirt::net {

// The answer, on one line.
Result<std::string> answer_pod(const PodRequest& request);

}  // namespace ocirt::net
