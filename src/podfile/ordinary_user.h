// What differs in a pod of an ordinary user: it is made by a shim that is root of a user namespace
// of its own (src/shim/user_place.h), so all of it is written as for root, but for what belongs to
// the host. What such a user cannot have is refused here, before anything is made.
#pragma once

#include <cstdint>
#include <string>

#include "oci-spec/spec.h"
#include "src/base/result.h"
#include "src/pod/paths.h"
#include "src/pod/pod.h"
#include "src/podfile/manifest.h"

namespace ocirt::podfile {

struct OrdinaryUser {
  uint64_t users = 1, groups = 1;  // 0 to users-1 are mapped in the pod
  std::string cgroup_parent = {};  // a cgroup v2 in which the user may make others; empty: none
};

// The caller, who is no root. Looks at the machine.
Result<OrdinaryUser> ordinary_user();

// Changes a resolved pod, without its containers. Errors begin with the field below the pod.
Result<> adapt_pod(pod::Pod& pod, const pod::Layout& layout, const OrdinaryUser& user);

// Changes the config.json of a container of that pod. Errors begin with the field below it.
Result<> adapt_container(oci::Spec& spec, const manifest::PodSpec& pod_spec,
                         const manifest::Container& container, const pod::Pod& pod,
                         const OrdinaryUser& user);

}  // namespace ocirt::podfile
