// The annotation run.oci.systemd.force_cgroup_v1=PATH: a systemd of before cgroup v2 (RHEL 7) wants
// its own v1 hierarchy, name=systemd, which has no controllers and may be mounted beside v2. The
// mount of config.json at PATH becomes a tmpfs with that hierarchy in "systemd", and the container
// gets a cgroup there too. crun introduced it.
#pragma once

#include <optional>

#include "src/container/annotations.h"
#include "src/linux/cgroup/cgroup.h"

namespace ocirt::container {

struct V1ForSystemd {
  cgroup::Hierarchy hierarchy;
  cgroup::Directory directory;  // the container's
  bool beside_v2 = false;       // it is not among the container's cgroups anyway
};

// Nothing when the annotation is not there. Looks at the host; an error when it has no such
// hierarchy or the container no cgroup.
Result<std::optional<V1ForSystemd>> find_v1_for_systemd(const Annotations& annotations,
                                                        const cgroup::Host& host,
                                                        const cgroup::Location& location);

// The location of such a cgroup; an empty path is none.
cgroup::Location v1_for_systemd(const std::string& path);

// Opens it beside what a process enters anyway.
Result<> add_entrance(cgroup::Entrance& entrance, const cgroup::Location& location);

}  // namespace ocirt::container
