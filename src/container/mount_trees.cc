#include "src/container/mount_trees.h"

#include <sched.h>
#include <sys/mount.h>

#include <cerrno>

#include "src/base/text.h"
#include "src/sys/filesystem.h"
#include "src/sys/mount_tree.h"
#include "src/sys/namespace.h"
#include "src/sys/user_namespace.h"

namespace ocirt::container {
namespace {

// One user namespace for each distinct mapping: a pod's mounts have mostly the same.
class UserNamespaces {
 public:
  Result<Fd> of(const IdMaps& maps) {
    for (const Entry& entry : entries_) {
      if (entry.maps == maps) return Fd(entry.fd.raw());
    }
    Result<UniqueFd> made = maps.user_namespace.empty()
                                ? sys::make_user_namespace(maps.uids, maps.gids)
                                : sys::open_namespace(maps.user_namespace, CLONE_NEWUSER);
    UniqueFd fd = TRY(std::move(made));
    entries_.push_back({maps, std::move(fd)});
    return Fd(entries_.back().fd.raw());
  }

 private:
  struct Entry {
    IdMaps maps;
    UniqueFd fd;
  };
  std::vector<Entry> entries_;
};

Result<UniqueFd> open_source(const MountTree& tree, const plan::Mount& mount) {
  Result<UniqueFd> opened =
      tree.type.empty() ? sys::open_mount_tree(tree.source, mount.recursive, !mount.source_nofollow)
                        : sys::make_filesystem(tree.type, tree.source, tree.options);
  if (!opened && opened.error().code == ENOENT && tree.type.empty()) {
    return refuse(
        cat("the source of the bind mount, ", tree.source, ", is not there on this host"));
  }
  if (!opened && opened.error().code == EPERM) {
    return refuse(cat("not supported: to hand ", tree.type.empty() ? tree.source : tree.type,
                      " of the host to a container takes CAP_SYS_ADMIN on the host"));
  }
  return opened;
}

Result<> map_ids(const MountTree& tree, Fd fd, UserNamespaces& namespaces) {
  Fd mapping = TRY(namespaces.of(tree.maps));
  Result<> mapped = sys::map_mount_ids(fd, tree.maps_recursively, mapping);
  if (mapped) return {};
  if (mapped.error().code == EINVAL && !tree.type.empty()) {
    return refuse(cat("the file system ", tree.type, " cannot map ids"));
  }
  if (mapped.error().code == EINVAL) {
    return refuse(cat("the file system of ", tree.source, ", ",
                      sys::mounted_filesystem(tree.source).value_or("unknown"), ", cannot map ids",
                      tree.maps_recursively ? ", or one below it" : ""));
  }
  if (mapped.error().code == EPERM) {
    return refuse(cat("the ids of ", tree.source, " cannot be mapped: they are mapped already"));
  }
  return mapped;
}

Result<UniqueFd> open_tree(const Draft& draft, const MountTree& tree, UserNamespaces& namespaces) {
  UniqueFd fd = TRY(open_source(tree, draft.mounts[tree.mount]));
  // As init's copy of the host's mounts: what the container does below must not reach the host
  // unless it is asked for.
  const uint32_t propagation =
      draft.builder.plan.root_propagation & (MS_SHARED | MS_SLAVE | MS_PRIVATE);
  if ((propagation & MS_SHARED) == 0) {
    TRY(sys::set_mount_propagation(fd, propagation == 0 ? uint32_t{MS_SLAVE} : propagation));
  }
  if (tree.maps.given()) TRY(map_ids(tree, fd, namespaces));
  return fd;
}

}  // namespace

Result<std::vector<UniqueFd>> open_mount_trees(Draft& draft) {
  std::vector<UniqueFd> trees;
  if (draft.trees.empty()) return trees;
  UserNamespaces namespaces;
  for (const MountTree& tree : draft.trees) {
    plan::Mount& mount = draft.mounts[tree.mount];
    UniqueFd fd =
        TRY(within(cat("mounts[", mount.index, "] (", draft.builder.view(mount.destination), ")"),
                   open_tree(draft, tree, namespaces)));
    mount.tree = fd.raw();
    trees.push_back(std::move(fd));
  }
  draft.builder.plan.mounts = draft.builder.list(draft.mounts);
  draft.builder.plan.has_trees = true;
  return trees;
}

}  // namespace ocirt::container
