// Which mounts a running container can be given. Whatever the kernel would look up by a path (a
// block device, the layers of an overlay) would be looked up in the container, which can put
// anything there; so file systems are taken only where no option of theirs is a path. Everything
// else can be mounted on the host and added as a bind mount.
#include <sys/mount.h>

#include "src/base/text.h"
#include "src/container/change_mounts.h"
#include "src/linux/mount_options.h"

namespace ocirt::container {
namespace {

constexpr std::string_view kPathless[] = {"cgroup2", "mqueue", "ramfs", "sysfs", "tmpfs"};

Result<> check(const oci::Mount& mount, const cgroup::Host& host) {
  const MountOptions options = parse_mount_options(mount.options);
  if (options.copy_symlink) {
    return refuse("copy-symlink makes no mount: make the link in the container");
  }
  if (options.tmpcopyup) return refuse("tmpcopyup cannot be trusted while the container runs");
  if (clean_path(cat("/", mount.destination)) == "/" && !options.remount)
    return refuse("who is in the container would not see what is mounted on its root");
  if (options.bind || options.remount || mount.type == "bind") return {};
  const std::string type = mount.type.value_or("");
  if (type == "cgroup" && host.layout == cgroup::Layout::unified) return {};
  for (std::string_view one : kPathless) {
    if (type == one) return {};
  }
  return refuse(cat("file systems of type ", quoted(type),
                    " cannot be added: mount it on the host and add that with the option bind"));
}

}  // namespace

Result<Draft> draft_added_mounts(const oci::Spec& spec, const Record& record,
                                 const MountChange& change, const cgroup::Host& host) {
  oci::Spec changed = spec;
  changed.mounts = change.mounts;
  DraftInput input;
  input.spec = &changed;
  input.document = change.document;
  input.bundle = record.bundle;
  input.cgroup = record.cgroup;
  input.purpose = plan::Purpose::mounts;
  input.cgroup_host = host;
  uint32_t index = 0;
  for (const oci::Mount& mount : change.mounts) {
    TRY(within(cat(change.document, ": mounts[", index++, "] (", mount.destination, ")"),
               check(mount, host)));
  }
  Draft draft;
  draft.builder.plan.purpose = plan::Purpose::mounts;
  draft.builder.plan.user.entered = record.user_namespace;
  // Of what ocirt opens on the host: the container's side sends nothing back.
  draft.builder.plan.root_propagation = MS_SLAVE | MS_REC;
  TRY(draft_mounts(draft, input));
  for (const plan::Mount& mount : draft.mounts) {
    // Its root would be labelled by a path of /proc, which is the container's.
    if (!mount.root_label.given()) continue;
    return refuse(cat(change.document, ": mounts[", mount.index, "] (",
                      draft.builder.view(mount.destination), "): a file system without context= ",
                      "cannot be given linux.mountLabel while the container runs"));
  }
  // The sources are the host's, which nobody in the container sees.
  std::vector<bool> has_tree(draft.mounts.size());
  for (const MountTree& tree : draft.trees) has_tree[tree.mount] = true;
  for (size_t i = 0; i < draft.mounts.size(); ++i) {
    const plan::Mount& mount = draft.mounts[i];
    if (mount.kind != plan::MountKind::bind || has_tree[i]) continue;
    draft.trees.push_back({.mount = i, .source = std::string(draft.builder.view(mount.source))});
  }
  return draft;
}

Result<Draft> draft_removed_mounts(const MountChange& change) {
  Draft draft;
  draft.builder.plan.purpose = plan::Purpose::mounts;
  for (const oci::Mount& mount : change.mounts) {
    plan::Mount removal;
    removal.kind = plan::MountKind::removal;
    removal.index = static_cast<uint32_t>(draft.mounts.size());
    const std::string destination = clean_path(
        mount.destination.starts_with('/') ? mount.destination : cat("/", mount.destination));
    if (destination == "/") {
      return refuse(cat(change.document, ": mounts[", removal.index,
                        "].destination: the root cannot be taken away"));
    }
    removal.destination = draft.builder.text(destination);
    draft.mounts.push_back(removal);
  }
  draft.builder.plan.mounts = draft.builder.list(draft.mounts);
  return draft;
}

}  // namespace ocirt::container
