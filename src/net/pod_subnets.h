// The subnets of a bridge, and its pods' addresses and names in them: the subnets that its pool
// has, or, for the first pod, new ones that are asked for or that are free on this host.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "src/base/result.h"
#include "src/net/netlink.h"
#include "src/net/pod_hosts.h"
#include "src/net/pod_request.h"
#include "src/net/pool.h"
#include "src/net/subnet.h"

namespace ocirt::net {

inline constexpr uint32_t kBridgeNumber = 1;  // the bridge's own address

struct Subnets {
  Subnet v4;
  std::optional<Subnet> v6;

  // The last number that a pod can have in both.
  uint32_t last() const {
    const uint32_t most = last_number(v4);
    return v6 ? std::min(most, last_number(*v6)) : most;
  }
};

// Those of a pool that has pods.
Result<Subnets> subnets_of(const Pool& pool);

// The same, or for a pool without pods new ones, which are put into it. An error when the request
// wants others than the pool has, and when a route of the host leads into them.
Result<Subnets> choose_subnets(const PodRequest& request, Pool& pool, Session& session);

// What the hosts file of the pod `reader` says: the addresses of all pods of the pool.
std::vector<HostLine> host_lines(const Pool& pool, const Subnets& subnets, const PoolPod& reader);

}  // namespace ocirt::net
