// Pods on a bridge of the host: up, down, and what was left behind by others found on the way.
#pragma once

#include "src/base/result.h"
#include "src/net/pod_record.h"

namespace ocirt::net {

// Makes everything and fills record.network; or nothing, when something fails.
Result<> bridge_up(PodRecord& record);

// Takes everything away, as far as it is there. Goes on after an error and returns the first; the
// record stays then.
Result<> bridge_down(const PodRequest& request);

// The same for a pod without a record: only what the pool says is its own.
Result<> bridge_forget(const PodRequest& request);

Result<> bridge_check(const PodRecord& record);

}  // namespace ocirt::net
