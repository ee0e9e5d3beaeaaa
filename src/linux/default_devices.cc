// Major and minor numbers are from the kernel's admin-guide/devices.txt.
#include "src/linux/default_devices.h"

namespace ocirt {
namespace {

constexpr DefaultDevice kDevices[] = {
    {"/dev/null", 1, 3},   {"/dev/zero", 1, 5},    {"/dev/full", 1, 7},
    {"/dev/random", 1, 8}, {"/dev/urandom", 1, 9}, {"/dev/tty", 5, 0},
};

// /dev/core is the one with a condition: kernels without CONFIG_PROC_KCORE have no target for it,
// and many configurations mask it.
constexpr DefaultLink kLinks[] = {
    {"/dev/fd", "/proc/self/fd", false},       {"/dev/stdin", "/proc/self/fd/0", false},
    {"/dev/stdout", "/proc/self/fd/1", false}, {"/dev/stderr", "/proc/self/fd/2", false},
    {"/dev/ptmx", "pts/ptmx", false},          {"/dev/core", "/proc/kcore", true},
};

// "m" of everything lets a container unpack archives with device nodes; opening them is another
// right. tun is there because VPN containers have relied on it since the first runtimes.
constexpr DefaultDeviceRule kRules[] = {
    {'c', -1, -1, "m"},    {'b', -1, -1, "m"}, {'c', 1, 3, "rwm"},  // null
    {'c', 1, 5, "rwm"},                                             // zero
    {'c', 1, 7, "rwm"},                                             // full
    {'c', 1, 8, "rwm"},                                             // random
    {'c', 1, 9, "rwm"},                                             // urandom
    {'c', 5, 0, "rwm"},                                             // tty
    {'c', 5, 1, "rwm"},                                             // console
    {'c', 5, 2, "rwm"},                                             // ptmx
    {'c', 136, -1, "rwm"},                                          // pts/*
    {'c', 10, 200, "rwm"},                                          // net/tun
};

// A default device that the rules do not allow could be seen but not opened.
constexpr bool every_device_is_allowed() {
  for (const DefaultDevice& device : kDevices) {
    bool found = false;
    for (const DefaultDeviceRule& rule : kRules) {
      found |= rule.type == 'c' && rule.major == device.major && rule.minor == device.minor;
    }
    if (!found) return false;
  }
  return true;
}
static_assert(every_device_is_allowed());

}  // namespace

std::span<const DefaultDevice> default_devices() { return kDevices; }

std::span<const DefaultLink> default_links() { return kLinks; }

std::span<const DefaultDeviceRule> default_device_rules() { return kRules; }

}  // namespace ocirt
