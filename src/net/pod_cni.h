// Pods on a network of CNI plugins: ADD, CHECK and DEL of a whole list, and which host ports they
// have.
#pragma once

#include "src/base/result.h"
#include "src/net/pod_record.h"

namespace ocirt::net {

// Makes the namespace and has the plugins fill it; undoes what it has begun when one of them fails.
Result<> cni_up(PodRecord& record);
// DEL of all plugins, the last one first, also of those that were never asked to add something.
// One that fails stops what follows unless `force`, so that it can be repeated.
Result<> cni_down(const PodRecord& record, bool force);
Result<> cni_check(const PodRecord& record);

}  // namespace ocirt::net
