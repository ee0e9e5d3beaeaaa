// What a pod has on the host beside its containers: namespaces, network, cgroup, mounts, files.
// Made before the first container, as a whole or not at all, and taken away after the last.
// Everything here runs in a worker.
#pragma once

#include <string>

#include "src/base/result.h"
#include "src/net/pod_request.h"
#include "src/pod/paths.h"
#include "src/pod/pod.h"
#include "src/shim/runtime.h"

namespace ocirt::shim {

// Makes everything. Answers what ocirt-net said. The process that has called this is in the pod's
// namespaces afterwards: whatever fails is undone by another one, with unmake_place().
Result<net::PodNetwork> make_place(const pod::Pod& pod, const pod::Layout& layout);

// Takes everything away, containers that are left included: also what a shim left that was killed
// at any point. What is not there is no error; it goes on after a failure and returns the first.
// The directory itself stays, with pod.json, `lock` and logs.
Result<> unmake_place(const pod::Pod& pod, const pod::Layout& layout);

// What the whole pod has used (metrics.h): its cgroup's figures.
Result<Done> pod_metrics(const pod::Pod& pod);

// And the directory.
Result<> remove_directory(const pod::Layout& layout);

// The name under which ocirt-net knows the pod's network, for both verbs.
net::PodRequest network_request(const pod::Pod& pod, const pod::Layout& layout, net::PodVerb verb);

// The options of an overlay mount, with what means something in them escaped.
std::string overlay_options(const std::string& lower, const std::string& upper,
                            const std::string& work);

}  // namespace ocirt::shim
