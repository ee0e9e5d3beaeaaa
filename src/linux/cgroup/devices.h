// Putting device rules in force. Private to src/linux/cgroup/.
#pragma once

#include <span>

#include "oci-spec/resources.h"
#include "src/base/result.h"
#include "src/linux/cgroup/cgroup.h"

namespace ocirt::cgroup {

// By devices.deny and devices.allow where the v1 controller is mounted, else by a BPF program on
// the cgroup2 directory. In a user namespace, where neither may be used, the rules are left out:
// whoever is root only there can make no device node and open none that he could not open anyway.
Result<> apply_device_rules(const Location& location, std::span<const oci::DeviceCgroup> configured,
                            Fd unified, bool fresh);

}  // namespace ocirt::cgroup
