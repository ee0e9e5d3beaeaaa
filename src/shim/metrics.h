// What a container or a pod has used, as the messages of containerd (io.containerd.cgroups.v1 and
// v2): the answer of Stats and of SandboxMetrics. Which of the two it is the cgroup decides: v1
// where a hierarchy of v1 has the memory or the cpu controller, since the figures are its.
#pragma once

#include <cstddef>

#include "src/base/result.h"
#include "src/linux/cgroup/cgroup.h"
#include "src/linux/cgroup/stats.h"
#include "src/shim/rdma_metrics.h"
#include "src/wire/any.h"

namespace ocirt::shim {

wire::AnyValue v1_metrics(const cgroup::Stats& stats, const RdmaUse& use = {});
wire::AnyValue v2_metrics(const cgroup::Stats& stats, const RdmaUse& use = {});

// Reads a cgroup. At most `most` bytes: lists of block devices are left out rather than cut. Code
// ENOENT when the cgroup is not there (any more).
Result<wire::AnyValue> read_metrics(const cgroup::Location& location, size_t most);

}  // namespace ocirt::shim
