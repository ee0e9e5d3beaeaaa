// The mounts of config.json in the order in which they are listed (config.md, "Mounts"), below the
// container's root and reached without following a symlink out of it.
#include <linux/magic.h>
#include <sys/vfs.h>

#include "src/init/copy_up.h"
#include "src/init/init.h"
#include "src/init/mount_api.h"
#include "src/init/mount_steps.h"
#include "src/init/path.h"
#include "src/init/scratch.h"

namespace ocirt::init {

void fail_for_pieces(const Init& init, const plan::Mount& mount, long error, const Piece* pieces,
                     size_t count) {
  bare::Buffer<512> name;
  if (mount.index != plan::kNoIndex) name << "mounts[" << mount.index << "] ";
  name << "(" << init.text(mount.destination) << ")";
  fail_pieces(init, error, pieces, count, name.view());
}

void refuse_inside_proc(const Init& init, const plan::Mount& mount, int target) {
  struct statfs info{};
  must_for(init, mount, bare::call(SYS_fstatfs, target, &info), ": statfs");
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
  fail_for(init, mount, 0, ": its destination is inside procfs, where only cpuinfo, diskstats, ",
           "loadavg, meminfo, net/dev, slabinfo, stat, swaps and uptime may be replaced");
}

void set_propagation(const Init& init, const plan::Mount& mount, int fd) {
  for (uint32_t word : init.list(mount.propagation)) {
    must_for(init, mount,
             mount_setattr(fd, (word & MS_REC) != 0, 0, 0, word & ~static_cast<uint32_t>(MS_REC)),
             ": set propagation");
  }
}

void refuse_symlink(const Init& init, const plan::Mount& mount) {
  if (!mount.destination_nofollow) return;
  long fd = open_in_root(init, init.text(mount.destination), O_PATH | O_NOFOLLOW);
  if (fd < 0) return;  // not there yet
  struct stat status{};
  must(init, bare::call(SYS_newfstatat, fd, "", &status, AT_EMPTY_PATH), "stat");
  if (S_ISLNK(status.st_mode)) {
    fail_for(init, mount, 0, ": its destination is a symbolic link, over which ",
             "dest-nofollow can mount files only");
  }
}

namespace {

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
  must_for(init, mount,
           bare::call(SYS_setxattr, path_of(Spot{mounted}).c_str(), "security.selinux",
                      init.text(mount.root_label), mount.root_label.size + 1, 0),
           ": linux.mountLabel: set the label of its root");
}

// What cannot be mounted anew: a copy of all that is mounted from `source` down (nullptr: from
// `target` itself), with the options of this mount.
void cover_with_copy(const Init& init, const plan::Mount& mount, int target, const char* source) {
  constexpr uint64_t kSameBits =
      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  static_assert(kSameBits == (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC));
  const long copy =
      source == nullptr ? open_tree(target, "", true) : open_tree(AT_FDCWD, source, true);
  int tree = static_cast<int>(must_for(init, mount, copy, ": bind"));
  must_for(init, mount, mount_setattr(tree, source != nullptr, mount.flags & kSameBits, 0),
           ": set options");
  set_propagation(init, mount, tree);
  must_for(init, mount, move_mount(tree, target), ": bind");
}

// Whether what is mounted at a path that was reached `literally`, without any symlink on the way,
// can have covered /dev.
bool may_cover_dev(std::string_view path, bool literally) {
  return !literally || path == "/dev" || path.find("/.") != std::string_view::npos;
}

bool is_on_root(const char* destination) { return destination[1] == '\0'; }

// What is mounted at the destination by now. From a root only ".." comes across what is mounted on
// it.
int reopen(const Init& init, const plan::Mount& mount) {
  const char* path = init.text(mount.destination);
  if (is_on_root(path)) path = "/..";
  return static_cast<int>(
      must_for(init, mount, open_in_root(init, path, O_PATH | O_DIRECTORY), ": reopen"));
}

// Returns whether its destination was reached without a symlink.
bool mount_filesystem(Init& init, Parent& parent, const plan::Mount& mount) {
  const char* destination = init.text(mount.destination);
  const char* type = init.text(mount.type);
  refuse_symlink(init, mount);
  const bool beside = parent.is_of(destination);
  const auto [target, made, literal] =
      open_or_make_directory(init, parent, destination, mount.real_directory);
  const bool literally = literal || mount.real_directory || (made && beside);
  if (!made && !literal) refuse_inside_proc(init, mount, target);
  bare::Buffer<4096> data;
  data << init.text(mount.data);
  if (mount.mode_from_target && !made) append_mode(init, target, data);
  if (data.cut()) fail_for(init, mount, 0, ": its options are longer than a page");

  int tree = next_joined_procfs(init, mount);
  // The container runs: /proc/self/fd, by which mount_on() names its target, would be its own.
  if (init.plan.purpose == plan::Purpose::mounts) {
    tree = detached_filesystem(init, mount, data.view());
  }
  if (tree >= 0) {
    set_propagation(init, mount, tree);
    must_for(init, mount, move_mount(tree, target), ": mount ", type);
    return literally;
  }
  int covered = -1;
  if (mount.copy_up) {
    covered = static_cast<int>(must_for(
        init, mount, bare::openat(target, ".", O_RDONLY | O_DIRECTORY), ": open for tmpcopyup"));
  }
  const char* source = mount.source.given() ? init.text(mount.source) : type;
  unsigned long flags = mount.flags;
  // A file system that is still to be filled cannot be read-only yet.
  const bool seal_after_copy = mount.copy_up && (flags & MS_RDONLY) != 0;
  if (seal_after_copy || mount.seal_later) flags &= ~static_cast<unsigned long>(MS_RDONLY);
  long result =
      mount_on(Spot{target}, source, type, flags, data.view().empty() ? nullptr : data.c_str());
  if (result == -EBUSY && std::string_view(type) == "cgroup2") {
    // It is there already, by a bind of /sys, with the same root: an ordinary user has no cgroup of
    // its own to be seen. It is covered by itself, with the options of this mount.
    cover_with_copy(init, mount, target, nullptr);
    return literally;
  }
  if (result == -EPERM && init.plan.user.limits() && std::string_view(type) == "sysfs") {
    // The network namespace is not the user namespace's: what the host has is all that there is.
    cover_with_copy(init, mount, target, "/sys");
    return literally;
  }
  if (result == -ENODEV) {
    fail_for(init, mount, 0, ": this kernel has no file system \"", type, "\"");
  }
  if (result == -EINVAL) explain_refusal(init, mount, data.view());
  must_for(init, mount, result, ": mount ", type, " from ", source, " with options \"", data.view(),
           "\"");
  if (std::string_view(type) == "tmpfs" && !mount.copy_up) parent.is_empty(destination);
  if (mount.propagation.count == 0 && !mount.copy_up && !mount.root_label.given()) return literally;
  const int mounted = reopen(init, mount);
  if (mount.root_label.given()) label_root(init, mount, mounted);
  if (covered >= 0) {
    copy_up(init, covered, mounted, destination);
    bare::close(covered);
    if (seal_after_copy) {
      must_for(init, mount, mount_setattr(mounted, false, MOUNT_ATTR_RDONLY, 0),
               ": make read-only");
    }
  }
  set_propagation(init, mount, mounted);
  return literally;
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
    bool literally = false;
    switch (mount.kind) {
      case plan::MountKind::filesystem:
        literally = mount_filesystem(init, parent, mount);
        break;
      case plan::MountKind::bind:
        literally = mount_bind(init, parent, mount);
        break;
      case plan::MountKind::link:
        make_link(init, parent, mount);
        break;
      case plan::MountKind::remount:
        remount(init, mount);
        break;
      case plan::MountKind::removal:
        remove_mount(init, mount);
        break;
    }
    // As paths of the host would have it, this is the root from now on.
    if (is_on_root(init.text(mount.destination))) {
      init.root = reopen(init, mount);
      parent.forget();
      init.dev = -1;
    }
    if (parent.is_of("/dev/")) init.dev = parent.fd();
    if (may_cover_dev(init.view.view(mount.destination), literally)) init.dev = -1;
    if (scratch.used(4)) {
      parent.forget();
      init.dev = -1;
    }
  }
  init.mounted = true;
  forget_host(init);
}

}  // namespace ocirt::init
