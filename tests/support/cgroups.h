// Where the machine keeps its control groups: version 1 hierarchies, a hybrid of both, or pure
// version 2 at /sys/fs/cgroup. Tests only make groups below test_parent().
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace harness::cgroups {

// "/ocirt-test-PID": the parent of all groups of this test program, in every hierarchy. Where
// systemd makes the groups (RUNTIME_FLAGS has "systemd"), it is the slice "/ocirttestPID.slice".
const std::string& test_parent();
bool by_systemd();
// Where the group of a container is, and what linux.cgroupsPath is for that.
std::string group_of(std::string_view container_id);
std::string cgroups_path(std::string_view container_id);

bool is_pure_v2();
// Whether a controller can be used: mounted (v1) or listed in the root's cgroup.controllers (v2).
bool has_controller(std::string_view name);

// The directory of group `path` in the hierarchy of a controller ("" means the v2 hierarchy).
std::string directory(std::string_view controller, std::string_view path);
// The directories of `path` that exist, over all hierarchies.
std::vector<std::string> existing(std::string_view path);
// Every hierarchy's mount point.
std::vector<std::string> roots();
// The pids in a group's directory.
std::vector<int> pids_in(const std::string& directory);

// Groups of ours that exist below test_parent().
std::vector<std::string> leftovers();
// Kills what is inside and removes the groups below test_parent().
void remove_leftovers();
// Removes test_parent() itself.
void remove_parent();

}  // namespace harness::cgroups
