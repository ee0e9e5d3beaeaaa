// The mounts of config.json in the order in which they are listed (config.md, "Mounts"), below the
// container's root and reached without following a symlink out of it.
#include <linux/magic.h>
#include <sys/vfs.h>

#include "src/init/copy_up.h"
#include "src/init/init.h"
#include "src/init/mount_api.h"
#include "src/init/path.h"
#include "src/init/scratch.h"

namespace ocirt::init {
namespace {

// "mounts[3] (/proc)", as messages name a mount.
bare::Buffer<512> name_of(const Init& init, const plan::Mount& mount) {
  bare::Buffer<512> name;
  if (mount.index != plan::kNoIndex) name << "mounts[" << mount.index << "] ";
  name << "(" << init.text(mount.destination) << ")";
  return name;
}

// Whatever an image's symlinks say, nothing may be mounted over the files of /proc by which the
// kernel is told what to do to this process (CVE-2019-16884, CVE-2019-19921). The few that lxcfs
// and the like replace are what others allow too; a mount on the top of procfs itself covers it
// whole.
void refuse_inside_proc(const Init& init, const plan::Mount& mount, int target) {
  struct statfs info{};
  must(init, bare::call(SYS_fstatfs, target, &info), name_of(init, mount).view(), ": statfs");
  if (info.f_type != PROC_SUPER_MAGIC) return;
  struct stat status{};
  must(init, bare::call(SYS_newfstatat, target, "", &status, AT_EMPTY_PATH), "stat");
  if (status.st_ino == 1) return;  // PROC_ROOT_INO
  std::string_view destination = init.view.view(mount.destination);
  for (std::string_view allowed :
       {"/proc/cpuinfo", "/proc/diskstats", "/proc/loadavg", "/proc/meminfo", "/proc/net/dev",
        "/proc/slabinfo", "/proc/stat", "/proc/swaps", "/proc/sys/crypto/fips_enabled",
        "/proc/sys/kernel/ns_last_pid", "/proc/uptime"}) {
    if (destination == allowed) return;
  }
  fail(init, 0, name_of(init, mount).view(),
       ": its destination is inside procfs, where only cpuinfo, diskstats, ",
       "loadavg, meminfo, net/dev, slabinfo, stat, swaps and uptime may be replaced");
}

// ",mode=0755" from the directory that a tmpfs is going to cover.
void append_mode(const Init& init, int target, bare::Buffer<4096>& data) {
  struct stat status{};
  must(init, bare::call(SYS_newfstatat, target, "", &status, AT_EMPTY_PATH), "stat");
  if (!data.view().empty()) data << ",";
  data << "mode=";
  data.octal(status.st_mode & 07777);
}

// linux.mountLabel where the file system knows no context=. By descriptor, through the host's
// /proc.
void label_root(const Init& init, const plan::Mount& mount, int mounted) {
  bare::Buffer<32> path;
  path << "/proc/self/fd/" << mounted;
  must(init,
       bare::call(SYS_setxattr, path.c_str(), "security.selinux", init.text(mount.root_label),
                  mount.root_label.size + 1, 0),
       name_of(init, mount).view(), ": linux.mountLabel: set the label of its root");
}

void cover_with_itself(const Init& init, const plan::Mount& mount, int target) {
  constexpr uint64_t kSameBits =
      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  static_assert(kSameBits == (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC));
  int tree = static_cast<int>(
      must(init, open_tree(target, "", true), name_of(init, mount).view(), ": bind"));
  must(init, mount_setattr(tree, false, mount.flags & kSameBits, 0), name_of(init, mount).view(),
       ": set options");
  must(init, move_mount(tree, target), name_of(init, mount).view(), ": bind");
}

void mount_filesystem(Init& init, Parent& parent, const plan::Mount& mount) {
  const char* destination = init.text(mount.destination);
  const char* type = init.text(mount.type);
  const auto [target, made, literal] =
      open_or_make_directory(init, parent, destination, mount.real_directory);
  if (!made && !literal) refuse_inside_proc(init, mount, target);
  bare::Buffer<4096> data;
  data << init.text(mount.data);
  if (mount.mode_from_target && !made) append_mode(init, target, data);
  if (data.cut())
    fail(init, 0, name_of(init, mount).view(), ": its options are longer than a page");

  int covered = -1;
  if (mount.copy_up) {
    covered = static_cast<int>(must(init, bare::openat(target, ".", O_RDONLY | O_DIRECTORY),
                                    name_of(init, mount).view(), ": open for tmpcopyup"));
  }
  const char* source = mount.source.given() ? init.text(mount.source) : type;
  unsigned long flags = mount.flags;
  // A file system that is still to be filled cannot be read-only yet.
  const bool seal_after_copy = mount.copy_up && (flags & MS_RDONLY) != 0;
  if (seal_after_copy || mount.seal_later) flags &= ~static_cast<unsigned long>(MS_RDONLY);
  long result = mount_on(target, source, type, flags, data.view().empty() ? nullptr : data.c_str());
  if (result == -EBUSY && std::string_view(type) == "cgroup2") {
    // It is there already, by a bind of /sys, with the same root: an ordinary user has no cgroup of
    // its own to be seen. It is covered by itself, with the options of this mount.
    cover_with_itself(init, mount, target);
    return;
  }
  if (result == -ENODEV) {
    fail(init, 0, name_of(init, mount).view(), ": this kernel has no file system \"", type, "\"");
  }
  must(init, result, name_of(init, mount).view(), ": mount ", type, " from ", source,
       " with options \"", data.view(), "\"");
  if (mount.propagation == 0 && !mount.copy_up && !mount.root_label.given()) return;
  int mounted = static_cast<int>(must(init, open_in_root(init, destination, O_PATH | O_DIRECTORY),
                                      name_of(init, mount).view(), ": reopen"));
  if (mount.root_label.given()) label_root(init, mount, mounted);
  if (covered >= 0) {
    copy_up(init, covered, mounted, destination);
    bare::close(covered);
    if (seal_after_copy) {
      must(init, mount_setattr(mounted, false, MOUNT_ATTR_RDONLY, 0), name_of(init, mount).view(),
           ": make read-only");
    }
  }
  if (mount.propagation != 0) {
    must(init,
         mount_setattr(mounted, (mount.propagation & MS_REC) != 0, 0, 0,
                       mount.propagation & ~static_cast<uint32_t>(MS_REC)),
         name_of(init, mount).view(), ": set propagation");
  }
}

void mount_bind(Init& init, Parent& parent, const plan::Mount& mount) {
  const char* source = init.text(mount.source);
  long opened = open_tree(AT_FDCWD, source, mount.recursive);
  if (opened == -EACCES && init.plan.user.settles) {
    const auto number = static_cast<uint32_t>(&mount - init.list(init.plan.mounts).data());
    opened = open_tree(fetch(init, number), "", mount.recursive);
  }
  if (opened == -ENOENT) {
    fail(init, 0, name_of(init, mount).view(), ": the source of the bind mount, ", source,
         ", is not there on this host");
  }
  int tree = static_cast<int>(must(init, opened, name_of(init, mount).view(), ": bind ", source));
  if ((mount.recursive_attr_set | mount.recursive_attr_clear) != 0) {
    must(init, mount_setattr(tree, true, mount.recursive_attr_set, mount.recursive_attr_clear),
         name_of(init, mount).view(), ": set recursive options");
  }
  if ((mount.attr_set | mount.attr_clear) != 0) {
    must(init, mount_setattr(tree, false, mount.attr_set, mount.attr_clear),
         name_of(init, mount).view(), ": set options",
         init.plan.user.entered && mount.attr_clear != 0
             ? " (in a user namespace those that the source is mounted with stay)"
             : "");
  }
  if (mount.propagation != 0) {
    must(init,
         mount_setattr(tree, (mount.propagation & MS_REC) != 0, 0, 0,
                       mount.propagation & ~static_cast<uint32_t>(MS_REC)),
         name_of(init, mount).view(), ": set propagation");
  }
  struct stat status{};
  must(init, bare::call(SYS_newfstatat, tree, "", &status, AT_EMPTY_PATH),
       name_of(init, mount).view(), ": stat ", source);
  const char* destination = init.text(mount.destination);
  const auto [target, made, literal] =
      S_ISDIR(status.st_mode) ? open_or_make_directory(init, parent, destination, false)
                              : open_or_make_file(init, parent, destination);
  if (!made && !literal) refuse_inside_proc(init, mount, target);
  must(init, move_mount(tree, target), name_of(init, mount).view(), ": bind ", source);
}

void make_link(const Init& init, Parent& parent, const plan::Mount& mount) {
  const char* name = nullptr;
  int directory = parent.of(init, init.text(mount.destination), name);
  long result = bare::symlinkat(init.text(mount.source), directory, name);
  if (result != -EEXIST) must(init, result, "link ", init.text(mount.destination));
}

}  // namespace

void perform_mounts(Init& init) {
  Parent parent;
  Scratch scratch(init);
  for (const plan::Mount& mount : init.list(init.plan.mounts)) {
    // A mount anywhere but beside the last may cover the directory that is kept.
    if (!parent.is_of(init.text(mount.destination))) parent.forget();
    switch (mount.kind) {
      case plan::MountKind::filesystem:
        mount_filesystem(init, parent, mount);
        break;
      case plan::MountKind::bind:
        mount_bind(init, parent, mount);
        break;
      case plan::MountKind::link:
        make_link(init, parent, mount);
        break;
    }
    if (scratch.used(4)) parent.forget();
  }
}

}  // namespace ocirt::init
