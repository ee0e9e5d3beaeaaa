#include "src/sys/network_device.h"

#include <net/if.h>

namespace ocirt::sys {

bool has_network_device(CStr name) { return ::if_nametoindex(name.c_str()) != 0; }

}  // namespace ocirt::sys
