#include "src/container/draft_lean_mounts.h"

#include <linux/capability.h>
#include <linux/sched.h>
#include <sys/mount.h>

#include <algorithm>

namespace ocirt::container {
namespace {

// Those that are made of nothing: others may name devices or directories of the host.
constexpr std::string_view kOfNothing[] = {"proc",    "sysfs",   "tmpfs",    "devpts",    "mqueue",
                                           "cgroup2", "cgroup",  "ramfs",    "hugetlbfs", "bpf",
                                           "debugfs", "tracefs", "configfs", "securityfs"};

bool is_below(std::string_view path, std::string_view directory) {
  return path.starts_with(directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

}  // namespace

bool can_be_lean(const Draft& draft, const DraftInput& input) {
  const plan::Builder& builder = draft.builder;
  const plan::Plan& plan = builder.plan;
  if ((draft.new_namespaces & CLONE_NEWNS) == 0) return false;
  // What is copied stays below the container's root, and is not for who could take the latter away.
  const bool may_unmount = (plan.process.bounding >> CAP_SYS_ADMIN & 1) != 0;
  if (!input.namespaces_of_trees && (!input.few_mounts || may_unmount)) return false;
  if (input.rootless || input.within_user_namespace || plan.user.limits()) return false;
  if (plan.no_pivot || plan.hooks_outside || plan.create_container.count != 0) return false;
  const uint32_t cut_off = plan.root_propagation & (MS_SLAVE | MS_PRIVATE);
  if (cut_off == 0 || (plan.root_propagation & MS_REC) == 0) return false;
  if (draft.mounts.size() > plan::kMostLeanMounts) return false;
  return std::ranges::all_of(draft.mounts, [&](const plan::Mount& mount) {
    // The rootfs is the top of the namespace from the beginning, and not what is mounted on it.
    if (builder.view(mount.destination) == "/") return false;
    if (mount.kind == plan::MountKind::filesystem)
      return std::ranges::find(kOfNothing, builder.view(mount.type)) != std::end(kOfNothing);
    if (mount.kind != plan::MountKind::bind) return true;
    return !mount.copy_symlink && !is_below(builder.view(mount.source), input.rootfs);
  });
}

}  // namespace ocirt::container
