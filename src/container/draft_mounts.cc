// config.json's `mounts` as a plan (config.md, "Mounts").
#include <linux/sched.h>
#include <sys/mount.h>

#include <span>

#include "src/base/text.h"
#include "src/container/draft.h"
#include "src/container/draft_id_maps.h"
#include "src/linux/mount_options.h"
#include "src/sys/namespace.h"

namespace ocirt::container {
namespace {

struct Context {
  Draft& draft;
  plan::Builder& builder;
  const DraftInput& input;
  std::vector<plan::Mount>& mounts;
  std::string label;  // linux.mountLabel
  bool systemd_v1_done = false;
};

// Options of a new file system with what linux.mountLabel adds to them.
std::string with_context(const Context& context, std::string_view type, std::string data) {
  if (context.label.empty() || !takes_context(type)) return data;
  return cat(data, data.empty() ? "" : ",",
             context_option(context.label, context.input.annotations.mount_context_type));
}

// The same for one mount as AT_RECURSIVE has it for a tree: a new file system has nothing below it.
uint64_t flags_of_attributes(uint64_t attributes) {
  uint64_t flags = 0;
  constexpr std::pair<uint64_t, uint64_t> kSame[] = {{MOUNT_ATTR_RDONLY, MS_RDONLY},
                                                     {MOUNT_ATTR_NOSUID, MS_NOSUID},
                                                     {MOUNT_ATTR_NODEV, MS_NODEV},
                                                     {MOUNT_ATTR_NOEXEC, MS_NOEXEC},
                                                     {kMountAttrNosymfollow, MS_NOSYMFOLLOW},
                                                     {MOUNT_ATTR_NODIRATIME, MS_NODIRATIME}};
  for (auto [attribute, flag] : kSame) {
    if ((attributes & attribute) != 0) flags |= flag;
  }
  // The atime group is a number, not bits; 0 is relatime, the kernel's default.
  switch (attributes & MOUNT_ATTR__ATIME) {
    case MOUNT_ATTR_NOATIME:
      flags |= MS_NOATIME;
      break;
    case MOUNT_ATTR_STRICTATIME:
      flags |= MS_STRICTATIME;
      break;
    default:
      break;
  }
  return flags;
}

bool names(std::string_view option_list, std::string_view name) {
  for (std::string_view option : split(option_list, ',')) {
    if (option.starts_with(name)) return true;
  }
  return false;
}

// The cgroup mount of a host with v1 hierarchies: a tmpfs with a directory per hierarchy. In a
// cgroup namespace each is mounted anew and shows the container's own subtree; without one, that
// subtree is bound.
void draft_v1_cgroups(Context& context, plan::Mount mount, const std::string& destination,
                      const std::string& data, bool own_namespace,
                      std::span<const cgroup::Hierarchy> hierarchies,
                      std::span<const cgroup::Directory> directories) {
  plan::Builder& builder = context.builder;
  const uint64_t flags = mount.flags;
  plan::Mount top = mount;
  top.type = top.source = builder.text("tmpfs");
  top.data = builder.text(with_context(context, "tmpfs", "mode=755"));
  top.flags = (flags & ~static_cast<uint64_t>(MS_RDONLY)) | MS_NOSUID | MS_NODEV | MS_NOEXEC;
  if ((flags & MS_RDONLY) != 0) {
    top.flags |= MS_RDONLY;
    top.seal_later = true;
  }
  context.mounts.push_back(top);
  for (const cgroup::Hierarchy& hierarchy : hierarchies) {
    if (hierarchy.controllers.empty())
      continue;  // the cgroup2 tree of a hybrid host has no controllers
    std::string_view name = hierarchy.mount_point;
    name.remove_prefix(name.rfind('/') + 1);
    if (hierarchy.controllers == "name=systemd") name = "systemd";  // where it has to be
    plan::Mount one = mount;
    one.destination = builder.text(cat(destination, "/", name));
    if (own_namespace) {
      one.type = one.source = builder.text("cgroup");
      one.data = builder.text(cat(hierarchy.controllers.starts_with("name=") ? "none," : "",
                                  hierarchy.controllers, data.empty() ? "" : ",", data));
      one.flags = flags | MS_NOSUID | MS_NODEV | MS_NOEXEC;
    } else {
      std::string path = cat(hierarchy.mount_point, hierarchy.own);
      for (const cgroup::Directory& directory : directories) {
        if (directory.controllers == hierarchy.controllers) path = directory.path;
      }
      one.kind = plan::MountKind::bind;
      one.source = builder.text(path);
      one.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
                     ((flags & MS_RDONLY) != 0 ? MOUNT_ATTR_RDONLY : 0);
    }
    context.mounts.push_back(one);
    for (std::string_view controller : split(hierarchy.controllers, ',')) {
      if (controller == name || controller.starts_with("name=")) continue;
      plan::Mount link = mount;
      link.kind = plan::MountKind::link;
      link.source = builder.text(name);
      link.destination = builder.text(cat(destination, "/", controller));
      context.mounts.push_back(link);
    }
  }
}

// Without a cgroup namespace a new mount of cgroup2 would give its options to the host's file
// system (nsdelegate, memory_recursiveprot: those that are not named are taken away), so the host's
// mount is bound. In a user namespace nothing else is possible, and the container's own cgroup is
// all that it sees. False when there is nothing to be bound, or options are named: then all of the
// host's are to be what they say.
bool draft_hosts_cgroup2(Context& context, plan::Mount mount, std::string_view type,
                         const MountOptions& options) {
  const DraftInput& input = context.input;
  const bool mapped = context.builder.plan.user.limits();
  if (mapped ? type != "cgroup" : !options.data.empty()) return false;
  const cgroup::Hierarchy* host = nullptr;
  for (const cgroup::Hierarchy& one : input.cgroup_host.hierarchies) {
    if (one.controllers.empty()) host = &one;
  }
  if (host == nullptr) return false;
  const bool own = mapped && !input.cgroup.directories.empty();
  mount.kind = plan::MountKind::bind;
  mount.recursive = mapped;  // what is mounted below is locked there
  mount.source =
      context.builder.text(own ? input.cgroup.directories.front().path : host->mount_point);
  const bool readonly = (mount.flags & MS_RDONLY) != 0;
  mount.attr_set =
      MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | (readonly ? MOUNT_ATTR_RDONLY : 0);
  if (!readonly && !mapped) mount.attr_clear = MOUNT_ATTR_RDONLY;
  context.mounts.push_back(mount);
  return true;
}

std::string place_of(const oci::Mount& from, uint32_t index) {
  return cat("mounts[", index, "] (", from.destination, ")");
}

std::unexpected<Error> wrong_options(const DraftInput& input, uint32_t index,
                                     std::string_view why) {
  return refuse(cat(input.document, ": mounts[", index, "].options: ", why));
}

// Words that clash, or that are for another kind of mount.
Result<> check_words(const DraftInput& input, const MountOptions& options, const oci::Mount& from,
                     uint32_t index) {
  const std::string type = from.type.value_or("");
  const bool bind = options.bind || type == "bind";
  const bool mapped = options.idmap || !from.uid_mappings.empty();
  if (options.copy_symlink && (options.source_nofollow || options.dest_nofollow)) {
    return wrong_options(input, index,
                         "copy-symlink goes with neither src-nofollow nor dest-nofollow");
  }
  if ((bind || options.remount) && options.tmpcopyup) {
    return wrong_options(input, index, "tmpcopyup needs a new tmpfs");
  }
  if (options.remount && (mapped || options.copy_symlink || options.source_nofollow)) {
    return wrong_options(
        input, index,
        "remount changes a mount that is there: nothing can be said about its source");
  }
  if (options.remount && (options.flags & MS_I_VERSION) != 0) {
    return wrong_options(input, index, "iversion cannot be changed by remount");
  }
  if (options.remount && ((options.flags | options.cleared_flags) & MS_POSIXACL) != 0) {
    return wrong_options(input, index, "acl cannot be changed by remount");
  }
  if (bind && !options.data.empty()) {
    return wrong_options(input, index, cat("a bind mount takes no ", quoted(options.data)));
  }
  if (bind || options.remount) return {};
  if (options.copy_symlink || options.source_nofollow) {
    return wrong_options(input, index, "copy-symlink and src-nofollow need a bind mount");
  }
  if (mapped && (options.tmpcopyup || type.starts_with("cgroup"))) {
    return wrong_options(
        input, index,
        cat("ids cannot be mapped with ", options.tmpcopyup ? "tmpcopyup" : "the type cgroup"));
  }
  if (options.tmpcopyup && type != "tmpfs") {
    return wrong_options(input, index, cat("tmpcopyup needs the type tmpfs, found ", quoted(type)));
  }
  return {};
}

// A copy of a mount shares the file system with its source, and with that what these say.
void warn_of_super_words(Context& context, const MountOptions& options, const std::string& place) {
  std::vector<std::string_view> words = fsconfig_words(options);
  if ((options.flags & MS_POSIXACL) != 0) words.push_back("acl");
  if ((options.cleared_flags & MS_POSIXACL) != 0) words.push_back("noacl");
  for (std::string_view word : words) {
    if (word == "ro" || word == "rw") continue;
    context.draft.warnings.push_back(
        cat(place, ": \"", word, "\" has no effect on a bind mount: it is of the file system"));
  }
}

Result<> draft_bind(Context& context, const oci::Mount& from, const MountOptions& options,
                    plan::Mount mount) {
  if (!from.source || from.source->empty()) {
    return refuse(
        cat(context.input.document, ": mounts[", mount.index, "].source: a bind mount needs one"));
  }
  const std::string place = place_of(from, mount.index);
  const std::string source =
      from.source->starts_with('/') ? *from.source : cat(context.input.bundle, "/", *from.source);
  mount.kind = plan::MountKind::bind;
  mount.recursive = options.recursive_bind;
  mount.source = context.builder.text(source);
  mount.copy_symlink = options.copy_symlink;
  mount.source_nofollow = options.source_nofollow;
  warn_of_super_words(context, options, place);
  IdMaps maps = TRY(within(place, draft_id_maps(from, options, *context.input.spec->linux)));
  if (maps.given()) {
    context.draft.trees.push_back({.mount = context.mounts.size(),
                                   .source = source,
                                   .maps = std::move(maps),
                                   .maps_recursively = options.recursive_idmap});
  }
  context.mounts.push_back(mount);
  return {};
}

// A file system with mapped ids: ocirt makes it, and init attaches it like a copy of a mount.
Result<> draft_mapped_filesystem(Context& context, const oci::Mount& from,
                                 const MountOptions& options, plan::Mount mount) {
  const std::string type = from.type.value_or("");
  IdMaps maps = TRY(within(place_of(from, mount.index),
                           draft_id_maps(from, options, *context.input.spec->linux)));
  mount.kind = plan::MountKind::bind;
  mount.mode_from_target = type == "tmpfs" && !names(options.data, "mode=");
  MountTree tree{.mount = context.mounts.size(),
                 .source = from.source.value_or(type),
                 .type = type,
                 .maps = std::move(maps)};
  for (std::string_view word : fsconfig_words(options)) {
    if (word != "ro" && word != "rw") tree.options.emplace_back(word);  // of the mount alone
  }
  for (std::string_view word : split(options.data, ',')) {
    if (!word.empty()) tree.options.emplace_back(word);
  }
  if (!context.label.empty() && takes_context(type)) {
    tree.options.push_back(cat(context.input.annotations.mount_context_type, "=", context.label));
  }
  mount.source = context.builder.text(tree.source);
  context.draft.trees.push_back(std::move(tree));
  context.mounts.push_back(mount);
  return {};
}

// Other options for what is mounted at the destination by then.
void draft_remount(Context& context, const oci::Mount& from, const MountOptions& options,
                   plan::Mount mount) {
  mount.kind = plan::MountKind::remount;
  if (options.bind || from.type == "bind") {
    warn_of_super_words(context, options, place_of(from, mount.index));
  } else {
    std::string words;
    for (std::string_view word : fsconfig_words(options)) words += cat(word, ",");
    words += options.data;
    if (!words.empty()) mount.data = context.builder.text(words);
  }
  context.mounts.push_back(mount);
}

Result<> draft_mount(Context& context, const oci::Mount& from, uint32_t index,
                     bool own_cgroup_namespace) {
  plan::Builder& builder = context.builder;
  MountOptions options = parse_mount_options(from.options);
  const DraftInput& input = context.input;
  TRY(check_words(input, options, from, index));

  const std::string type = from.type.value_or("");
  // Relative to the root since 1.2.0. Init tells by its spelling what is below /proc.
  const std::string destination =
      clean_path(from.destination.starts_with('/') ? from.destination : cat("/", from.destination));
  // Both would be on the host's rootfs, of which only one could be found again.
  if (destination == "/" && builder.plan.shares_mounts && !options.remount) {
    return refuse(cat("not supported: ", input.document, ": mounts[", index,
                      "].destination: nothing is mounted on the root without a mount namespace"));
  }
  plan::Mount mount;
  mount.index = index;
  mount.destination = builder.text(destination);
  mount.destination_nofollow = options.dest_nofollow;
  mount.attr_set = options.attr_set;
  mount.attr_clear = options.attr_clr;
  mount.recursive_attr_set = options.rec_attr_set;
  mount.recursive_attr_clear = options.rec_attr_clr;
  if (!options.propagation.empty()) {
    std::vector<uint32_t> words(options.propagation.begin(), options.propagation.end());
    mount.propagation = builder.list(words);
  }
  if (options.remount) {
    draft_remount(context, from, options, mount);
    return {};
  }
  if (context.input.systemd_v1 && destination == clean_path(context.input.annotations.systemd_v1)) {
    const V1ForSystemd& v1 = *context.input.systemd_v1;
    mount.attr_set = mount.attr_clear = mount.recursive_attr_set = mount.recursive_attr_clear = 0;
    mount.flags = options.flags & ~static_cast<uint64_t>(MS_BIND | MS_REC);
    draft_v1_cgroups(context, mount, destination, "", own_cgroup_namespace, {&v1.hierarchy, 1},
                     {&v1.directory, 1});
    context.systemd_v1_done = true;
    return {};
  }
  if (options.bind || type == "bind") return draft_bind(context, from, options, mount);
  if (type.empty())
    return refuse(
        cat(input.document, ": mounts[", index, "].type: needed unless the mount is a bind mount"));
  if (options.idmap || !from.uid_mappings.empty()) {
    return draft_mapped_filesystem(context, from, options, mount);
  }
  // mount(2) takes all as flags.
  mount.attr_set = mount.attr_clear = mount.recursive_attr_set = mount.recursive_attr_clear = 0;
  mount.flags =
      (options.flags & ~flags_of_attributes(options.rec_attr_clr & ~uint64_t{MOUNT_ATTR__ATIME})) |
      flags_of_attributes(options.rec_attr_set);
  if (type == "cgroup" && context.input.cgroup_host.layout != cgroup::Layout::unified) {
    if (!options.data.empty() && !own_cgroup_namespace) {
      return wrong_options(input, index,
                           cat("without a cgroup namespace the cgroups of the host are "
                               "bound, which takes no ",
                               quoted(options.data)));
    }
    draft_v1_cgroups(context, mount, destination, options.data, own_cgroup_namespace,
                     context.input.cgroup_host.hierarchies, context.input.cgroup.directories);
    return {};
  }
  if (type.starts_with("cgroup") && !own_cgroup_namespace &&
      draft_hosts_cgroup2(context, mount, type, options)) {
    return {};
  }
  mount.type = builder.text(type == "cgroup" ? "cgroup2" : type);
  mount.source = from.source && !from.source->empty() ? builder.text(*from.source) : mount.type;
  const std::string data = with_context(context, type, options.data);
  if (!data.empty()) mount.data = builder.text(data);
  if (!context.label.empty() && needs_root_label(type))
    mount.root_label = builder.text(context.label);
  mount.real_directory = type == "proc" || type == "sysfs";
  if (type == "tmpfs") {
    mount.copy_up = options.tmpcopyup;
    mount.mode_from_target = !names(options.data, "mode=");
  }
  // Its nodes are still to be made.
  mount.seal_later = (mount.flags & MS_RDONLY) != 0 && destination == "/dev";
  context.mounts.push_back(mount);
  return {};
}

// For a pid namespace that is joined, procfs is mounted before init has a place for much
// (init/procfs.cc).
Result<> check_procfs(const Draft& draft) {
  bool joined = false;
  for (const SharedNamespace& shared : draft.shared) joined |= shared.flag == CLONE_NEWPID;
  size_t count = 0;
  for (const plan::Mount& mount : draft.mounts) {
    if (mount.kind == plan::MountKind::filesystem && draft.builder.view(mount.type) == "proc")
      ++count;
  }
  if (!joined || count <= plan::kMostJoinedProcfs) return {};
  return refuse(cat("not supported: mounts: more than ", plan::kMostJoinedProcfs,
                    " of type proc together with a joined pid namespace; bind the first"));
}

}  // namespace

Result<> draft_mounts(Draft& draft, const DraftInput& input) {
  plan::Builder& builder = draft.builder;
  Context context{draft, builder, input, draft.mounts, input.spec->linux->mount_label.value_or("")};
  bool own_cgroup_namespace = false;
  for (const oci::Namespace& ns : input.spec->linux->namespaces) {
    if (ns.type != oci::NamespaceType::kCgroup) continue;
    own_cgroup_namespace = !ns.path || !sys::is_own_namespace(*ns.path, CLONE_NEWCGROUP);
  }
  builder.plan.mask_data = builder.text(with_context(context, "tmpfs", "nr_blocks=1,nr_inodes=1"));
  builder.plan.make_devices = true;
  uint32_t index = 0;
  for (const oci::Mount& mount : input.spec->mounts) {
    TRY(draft_mount(context, mount, index++, own_cgroup_namespace));
    const plan::Mount& last = context.mounts.back();
    // A /dev from outside is used as it is: making nodes there would change the host's.
    if (last.kind == plan::MountKind::bind && builder.view(last.destination) == "/dev") {
      builder.plan.make_devices = false;
    }
  }
  if (input.systemd_v1 && !context.systemd_v1_done) {
    return refuse(cat("annotations: run.oci.systemd.force_cgroup_v1: no mount has the destination ",
                      input.annotations.systemd_v1));
  }
  builder.plan.mounts = builder.list(context.mounts);
  return check_procfs(draft);
}

}  // namespace ocirt::container
