#include "src/sys/network_device.h"

#include <net/if.h>

#include <cerrno>

namespace ocirt::sys {

bool has_network_device(CStr name) { return ::if_nametoindex(name.c_str()) != 0; }

bool is_network_device_absent(CStr name) {
  return ::if_nametoindex(name.c_str()) == 0 && errno == ENODEV;
}

}  // namespace ocirt::sys
