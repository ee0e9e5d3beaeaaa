// The devices of a pod network: the bridge, and for each pod a pair of virtual devices, one end of
// which is a port of the bridge and the other the pod's eth0.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/fd.h"
#include "src/net/link.h"
#include "src/net/netlink.h"
#include "src/net/subnet.h"

namespace ocirt::net {

inline constexpr std::string_view kInside = "eth0";

// The name of a pod's end on the host: "ocirt" and 10 digits made from name and uid, so that
// nothing has to be looked up to find and remove it, and no later pod has the same.
std::string host_device(std::string_view name, std::string_view uid);

// Makes the bridge, without addresses and down. Its hardware address is a fixed one: a bridge
// without takes that of a port, and changes it when that port goes.
Result<> make_bridge(Session& session, std::string_view name);
// Whether the device is one that make_bridge() has made.
Result<bool> is_our_bridge(Session& session, std::string_view name);

// Whether any device is a port of the one with this index.
Result<bool> has_ports(Session& session, uint32_t index);

// The index of the device that was made last, of those that there are.
Result<uint32_t> newest_device(Session& session);
// Whether a virtual device (a bridge, a tunnel, an end of a pair) that was made after the one with
// that index is up. Such devices are made by who forwards packets.
Result<bool> has_virtual_device_since(Session& session, uint32_t index);

// Makes the pair: `name` is up and a port of `bridge`, the other end is eth0 in the namespace.
Result<> make_pair(Session& session, std::string_view name, uint32_t bridge, Fd ns);

// What is not there is no error.
Result<> delete_link(Session& session, std::string_view name);

// Gives a device the address `number` of the subnet; usable at once, without the second in which
// IPv6 looks for others that have it: the pool knows.
Result<> add_address(Session& session, uint32_t index, const Subnet& subnet, uint32_t number);
// A default route through the gateway.
Result<> add_default_route(Session& session, uint32_t index, const Subnet& gateway);

// Destinations of all routes of the host but the default ones, and its own addresses: where a new
// subnet may not be.
Result<std::vector<Subnet>> subnets_in_use(Session& session);

}  // namespace ocirt::net
