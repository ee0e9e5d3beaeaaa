// The pure halves of probe_host(), apart for their tests. Private to src/linux/cgroup/.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "src/linux/cgroup/cgroup.h"

namespace ocirt::cgroup {

// One line of /proc/self/cgroup, "ID:CONTROLLERS:PATH" (cgroups(7)).
struct Membership {
  std::string_view controllers;  // empty for the cgroup2 tree
  std::string_view path;
  bool operator==(const Membership&) const = default;
};
// The views point into `text`. A line that is not understood is an error.
Result<std::vector<Membership>> parse_memberships(std::string_view text);

// One mount of a cgroup file system, from mountinfo (proc(5)).
struct CgroupMount {
  std::string root;   // the directory of the hierarchy that is mounted, "/" for all of it
  std::string point;  // where
  bool v2 = false;
  std::string controllers;  // v1: the super block's options, "rw,memory"
  bool operator==(const CgroupMount&) const = default;
};
std::vector<CgroupMount> parse_cgroup_mounts(std::string_view mountinfo);

// Where a hierarchy usually is: "/sys/fs/cgroup/unified", ".../memory", ".../systemd".
std::string usual_mount_point(std::string_view controllers);

// The hierarchy of a membership, found among the mounts: its mount point, and our path as seen from
// there. Nothing when it is not mounted here.
std::optional<Hierarchy> find_hierarchy(const Membership& membership,
                                        const std::vector<CgroupMount>& mounts);

}  // namespace ocirt::cgroup
