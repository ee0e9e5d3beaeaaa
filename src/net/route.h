// Routes that lead through a device. They are the host's and do not go with it, but a device that
// is given back gets them back.
#pragma once

#include <vector>

#include "src/net/netlink.h"

namespace ocirt::net {

// Those that somebody has made, of IPv4 and IPv6, in any table. Not those that the kernel makes by
// itself for an address or a router's advertisement, and none over several devices.
Result<std::vector<Reply>> made_routes(Session& session, uint32_t index);

// Makes them for a device that is up. Goes on after an error and returns the first.
Result<> add_routes(Session& session, uint32_t index, const std::vector<Reply>& routes);

}  // namespace ocirt::net
