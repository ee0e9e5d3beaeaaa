// What has to be different on the host while there are pods on a bridge: it forwards packets. It is
// remembered in the pool before it is changed, and put back with the last pod, unless somebody else
// may rely on it by then (has_virtual_device_since()).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "src/net/pool.h"

namespace ocirt::net {

// The values that differ from what pods need, in the order in which they are to be set.
//
// A host that forwards IPv6 no longer listens to router advertisements, and loses the default route
// that it got by one: devices that listen now are told to go on (accept_ra=2) first.
Result<std::vector<HostValue>> needed_values(bool v6);

// Sets them. The ones set before an error stay: they are in the pool.
Result<> set_values(const std::vector<HostValue>& values);

// Puts those back that still are as they were set, in reverse order.
Result<> restore_values(const std::vector<HostValue>& values);

// One sentence for each that the owner of the host may want to know.
std::vector<std::string> notes_about(const std::vector<HostValue>& values);

// Sets a value of one device, below /proc/sys/net/FAMILY/conf; of the network namespace of this
// process.
Result<> set_device_value(std::string_view family, std::string_view device, std::string_view name,
                          std::string_view value);
// No second of looking for others with the same address, and no way for a neighbour to give us
// routes.
Result<> tame_ipv6(std::string_view device);

// Whether this host has IPv6.
bool has_ipv6();

}  // namespace ocirt::net
