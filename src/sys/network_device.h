// Whether a network device exists: the one question about the network that ocirt asks by itself.
// Everything else is ocirt-net's (src/net/).
#pragma once

#include "src/sys/cstr.h"

namespace ocirt::sys {

// In the network namespace of this process (netdevice(7), SIOCGIFINDEX).
bool has_network_device(CStr name);
// Whether there is certainly none: false also when that cannot be found out.
bool is_network_device_absent(CStr name);

}  // namespace ocirt::sys
