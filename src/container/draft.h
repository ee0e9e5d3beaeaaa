// From the configuration to the plan of a container: everything is decided here, before any process
// exists and before anything on the host has been changed. Of the host it looks only
// at whether a namespace to be joined is our own; every refusal names the property of config.json.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "oci-spec/spec.h"
#include "src/base/result.h"
#include "src/container/annotations.h"
#include "src/container/scheduling.h"
#include "src/container/systemd_v1.h"
#include "src/container/warnings.h"
#include "src/linux/cgroup/cgroup.h"
#include "src/linux/devtmpfs_mounts.h"
#include "src/linux/resctrl.h"
#include "src/linux/security_modules.h"
#include "src/net/request.h"
#include "src/plan/builder.h"

namespace ocirt::container {

// What the plan depends on besides config.json.
struct DraftInput {
  const oci::Spec* spec = nullptr;
  Annotations annotations;                    // of the spec
  std::string_view document = "config.json";  // how messages name it
  std::string id;
  std::string bundle;  // absolute
  std::string rootfs;  // absolute, without symlinks
  plan::Purpose purpose = plan::Purpose::create;
  bool no_pivot = false;
  bool no_new_keyring = false;
  bool namespaces_of_trees = false;          // the kernel has OPEN_TREE_NAMESPACE
  std::optional<DevtmpfsMounts> few_mounts;  // a mount namespace with few of them
  bool attached_terminal = false;            // of `run`: the master comes back to us
  uint32_t preserved_fds = 0;                // --preserve-fds and LISTEN_FDS together
  uint32_t listen_fds = 0;                   // of those, passed by socket activation
  bool within_user_namespace = false;        // of which we are user 0
  bool rootless = false;                     // we are an ordinary user, with these ids
  uint32_t own_uid = 0, own_gid = 0;
  cgroup::Host cgroup_host;
  cgroup::Location cgroup;
  std::optional<V1ForSystemd> systemd_v1;
  SecurityModules modules;  // this and the next are looked at only when config.json asks for them
  std::optional<std::string> resctrl_root;
};

// A namespace that the container shares.
struct SharedNamespace {
  uint64_t flag = 0;  // CLONE_NEW*
  std::string path;
};

// The user namespace of the container, when it is another one than ours.
struct UserNamespace {
  bool is_new = false;
  bool rootless = false;                   // made by an ordinary user
  std::vector<oci::IdMapping> uids, gids;  // of a joined one: as it should be, if any
  std::optional<uint32_t> cgroup_owner =
      {};  // on the host: who is to manage the container's cgroup
};

// Whose ids an idmapped mount shows (mount_setattr(2), MOUNT_ATTR_IDMAP).
struct IdMaps {
  std::string uids, gids;      // as lines of uid_map and gid_map (user_namespaces(7)), or
  std::string user_namespace;  // the path of a namespace that has them
  bool given() const { return !uids.empty() || !user_namespace.empty(); }
  bool operator==(const IdMaps&) const = default;
};

// A mount that ocirt itself opens and hands to init (mount_trees.h): a copy of its source, or a new
// file system.
struct MountTree {
  size_t mount = 0;  // in Draft::mounts
  std::string source;
  std::string type = {};                  // of a new file system; else empty
  std::vector<std::string> options = {};  // of that
  IdMaps maps = {};
  bool maps_recursively = false;
};

// A device that only ocirt can make (device_nodes.h).
struct DeviceNode {
  std::string name;  // index in the plan's devices
  uint32_t mode = 0;
  uint32_t major = 0, minor = 0;
  uint32_t uid = 0, gid = 0;  // on the host
};

struct Draft {
  plan::Builder builder;        // descriptors are still to be filled in
  uint64_t new_namespaces = 0;  // CLONE_NEW* for clone3(2)
  std::vector<SharedNamespace> shared;
  std::vector<net::Wanted> net_devices;
  std::optional<UserNamespace> user;
  bool own_pid_namespace = false;
  bool terminal = false;
  std::vector<uint64_t> seccomp;  // the compiled filter, kept for `exec`
  std::optional<resctrl::Group> resctrl;
  Scheduling scheduling;            // put in force when init is ready
  std::vector<plan::Mount> mounts;  // those of the plan
  std::vector<DeviceNode> device_nodes;
  std::vector<MountTree> trees;  // what is to be opened before it can be carried out
  Warnings warnings;
};

Result<Draft> draft_container(const DraftInput& input);

// The part of a plan that `exec` needs too.
struct ProcessInput {
  const oci::Process* process = nullptr;
  std::string_view place = "process";  // how messages name it
  uint32_t preserved_fds = 0;
  uint32_t listen_fds = 0;
  bool attached_terminal = false;
  bool create_cwd = false;
  bool user_namespace = false;  // in which init has every capability, and user 0
  bool keep_groups = false;     // run.oci.keep_original_groups
  SecurityModules modules;
};
// Whether there is reason to look for security modules.
bool wants_labels(const oci::Process& process);
Result<> draft_process(plan::Builder& builder, const ProcessInput& input, Warnings& warnings);

// Mounts, in draft_mounts.cc. Fills plan.mounts, draft.mounts and draft.trees, and says whether
// /dev is the container's own.
Result<> draft_mounts(Draft& draft, const DraftInput& input);

}  // namespace ocirt::container
