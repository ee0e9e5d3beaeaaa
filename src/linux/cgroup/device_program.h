// The device rules as a BPF program: cgroup v2 has no device controller, the kernel runs a program
// of type CGROUP_DEVICE instead (Linux 4.15). Pure. Private to src/linux/cgroup/.
#pragma once

#include <linux/bpf.h>

#include <span>
#include <vector>

#include "src/base/result.h"
#include "src/linux/cgroup/device_rules.h"

namespace ocirt::cgroup {

// The program returns 1 for an access that the rules allow and 0 for one that they deny. It asks
// the rules from the last to the first, so that the first answer is the last word; an access of
// several kinds (O_RDWR) is allowed when each kind is. Rules before the last one that settles
// everything are left out.
//
// The kernel's verifier follows every branch, and loading is by far the dearest step of a start on
// cgroup v2: with three comparisons for each of the default rules it took 0.22 ms, with one
// for most rules it takes 0.07 ms.
std::vector<bpf_insn> device_program(std::span<const DeviceRule> rules);

}  // namespace ocirt::cgroup
