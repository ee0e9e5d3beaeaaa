// Asks ocirt-net about a pod's network. Blocks as long as plugins take: for a worker, not for an
// event loop.
#pragma once

#include "src/base/result.h"
#include "src/net/pod_request.h"

namespace ocirt::net {

// kDown and kHost answer with little more than the mode. Code ENOENT and "not supported" when
// ocirt-net is not installed.
Result<PodNetwork> ask_pod_network(const PodRequest& request);

}  // namespace ocirt::net
