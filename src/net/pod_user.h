// Pods of ordinary users, who may make no device on the host: pasta(1) of the package passt copies
// between a tap device in the pod and sockets of its own on the host. It is the one process that a
// network needs, and ends by itself when the pod's namespace is unpinned.
//
// What comes of that: a pod has the host's own address inside, so pods do not reach each other by
// address, and there are no names of pods; published ports work as ever, from 1024 on.
#pragma once

#include "src/base/result.h"
#include "src/net/pod_record.h"

namespace ocirt::net {

// Undoes what it has begun.
Result<> user_up(PodRecord& record);
Result<> user_down(const PodRequest& request);
Result<> user_check(const PodRequest& request);

}  // namespace ocirt::net
