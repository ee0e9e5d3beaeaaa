// Addresses of a device: read before it is moved, since moving takes them away, and given to it
// again afterwards (config-linux.md, "Network Devices": permanent ones of global scope are
// preserved).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/net/netlink.h"

namespace ocirt::net {

// All addresses of the device. In the order of the kernel, which makes secondary addresses of the
// later ones. Without those that the kernel makes up for privacy and replaces after a while.
Result<std::vector<Reply>> addresses_of(Session& session, uint32_t index);

// Whether it goes with its device: permanent (set by somebody, not by autoconfiguration or DHCP
// with a lifetime) and of global scope.
bool is_kept(const Reply& address);

// "10.0.0.2/24"
std::string address_text(const Reply& address);

// Gives them to a device, with peer, broadcast, label, metric, lifetime and the flags that can be
// set. One that it has already is no error. `from` and `to` are the device's old and new name, for
// labels.
Result<> add_addresses(Session& session, uint32_t index, const std::vector<Reply>& addresses,
                       std::string_view from, std::string_view to);

}  // namespace ocirt::net
