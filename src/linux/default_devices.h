// What every container finds in /dev without asking (config-linux.md, "Default Devices"; runtime.md
// and the "Dev symbolic links" section), and the device rules that go with it.
#pragma once

#include <cstdint>
#include <span>

namespace ocirt {

// A character device with mode 0666, owned by the container's root.
struct DefaultDevice {
  const char* path;  // "/dev/null"
  unsigned major;
  unsigned minor;
};
inline constexpr unsigned kDefaultDeviceMode = 0666;

// null, zero, full, random, urandom, tty; a device of the configuration with the same path replaces
// it.
std::span<const DefaultDevice> default_devices();

struct DefaultLink {
  const char* path;     // "/dev/fd"
  const char* target;   // "/proc/self/fd"
  bool only_if_target;  // the link is made only where its target is
};

// fd, stdin, stdout, stderr, ptmx (to pts/ptmx) and core (to /proc/kcore, only if that is there).
std::span<const DefaultLink> default_links();

// One rule of the device cgroup; all of them allow.
struct DefaultDeviceRule {
  char type;      // 'c' or 'b'
  int64_t major;  // -1 is any
  int64_t minor;  // -1 is any
  const char* access;
};

// mknod of everything, the default devices, /dev/console (5:1), /dev/ptmx (5:2), the
// pseudoterminals (136:*) and /dev/net/tun (10:200). They go behind the rules of the configuration:
// "deny all" is what engines write first, and without /dev/null no shell works.
std::span<const DefaultDeviceRule> default_device_rules();

}  // namespace ocirt
