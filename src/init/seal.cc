// linux.maskedPaths and linux.readonlyPaths (config-linux.md): files that the container must not
// read are covered by /dev/null, directories by one shared, empty, read-only tmpfs; read-only paths
// are bound onto themselves. What is not there needs no cover.
#include "src/init/init.h"
#include "src/init/mount_api.h"
#include "src/init/path.h"
#include "src/init/proc_names.h"
#include "src/init/scratch.h"

namespace ocirt::init {
namespace {

// What covers masked paths, bound onto each of them.
struct Covers {
  Spot null;   // the null device, over files
  Spot empty;  // an empty read-only tmpfs, over directories: one superblock for all of them
};

long mask_directory(const Init& init, Covers& covers, Spot spot, const char* path) {
  if (covers.empty.fd >= 0) return bind_on(spot, covers.empty);
  long result = mount_on(spot, "tmpfs", "tmpfs", MS_RDONLY, init.text(init.plan.mask_data));
  if (result < 0) return result;
  covers.empty = spot;  // a name in procfs, which leads to the mount; a descriptor is below it
  if (*spot.name == '\0') {
    covers.empty.fd = static_cast<int>(must(init, open_in_root(init, path, O_PATH), "mask ", path));
  }
  return 0;
}

long mask_file(Init& init, Covers& covers, Spot spot) {
  if (covers.null.fd >= 0) return bind_on(spot, covers.null);
  if (init.is_lean) {
    // From there on it is one of the namespace's mounts, of which others can be made.
    const long result =
        init.null_is_used ? bind_on(spot, Spot{init.null}) : move_mount(init.null, spot);
    if (result < 0) return result;
    init.null_is_used = true;
    covers.null.fd = init.null;
    return 0;
  }
  covers.null.fd = must_open(init, "/dev/null", O_PATH | O_NOFOLLOW);
  check_null(init, covers.null.fd);
  return bind_on(spot, covers.null);
}

// The kernel knows whether something is a directory, and says so by refusing a file over one, and
// the other way round.
bool is_other_kind(long result) { return result == -ENOTDIR || result == -EINVAL; }

void mask_unknown(Init& init, Covers& covers, const char* path) {
  long opened = open_in_root(init, path, O_PATH);
  if (opened == -ENOENT || opened == -ENOTDIR) return;
  const Spot spot{static_cast<int>(must(init, opened, "mask ", path))};
  // Of sysfs it is directories that get masked.
  const bool guess = covers.empty.fd >= 0 && std::string_view(path).starts_with("/sys/");
  long result = guess ? mask_directory(init, covers, spot, path) : -EINVAL;
  if (is_other_kind(result)) result = mask_file(init, covers, spot);
  if (is_other_kind(result) && !guess) result = mask_directory(init, covers, spot, path);
  must(init, result, "mask ", path);
}

void mask(Init& init, Scratch& scratch, const ProcNames& names) {
  Covers covers;
  for (plan::Text text : init.list(init.plan.masked_paths)) {
    const char* path = init.text(text);
    Spot spot{names.fd()};
    switch (names.kind(path, spot.name)) {
      case ProcNames::Kind::absent:
        continue;
      case ProcNames::Kind::file:
        must(init, mask_file(init, covers, spot), "mask ", path);
        break;
      case ProcNames::Kind::directory:
        must(init, mask_directory(init, covers, spot, path), "mask ", path);
        break;
      case ProcNames::Kind::unknown:
        mask_unknown(init, covers, path);
    }
    if (scratch.used(4)) covers = Covers();
  }
}

// Whether the container's procfs is the plan's, may be written to, and has nothing mounted inside,
// by hooks neither: then what is bound in there is all that a recursive change of it reaches.
bool has_plain_procfs(const Init& init) {
  if (init.plan.hooks_outside || init.plan.create_container.count != 0) return false;
  bool plain = false;
  for (const plan::Mount& mount : init.list(init.plan.mounts)) {
    const std::string_view destination = init.view.view(mount.destination);
    if (destination.starts_with("/proc/") || destination == "/") return false;
    if (destination != "/proc") continue;
    if (plain || mount.kind != plan::MountKind::filesystem || (mount.flags & MS_RDONLY) != 0)
      return false;
    plain = init.view.view(mount.type) == "proc";
  }
  return plain;
}

// Those at the top of procfs together: parts of one read-only copy of its mount (Linux 6.15), or
// bound as they are and made read-only by one call for all of them, after which /proc itself is
// made writable again. Nobody is in the container yet. Returns whether it has been done.
bool make_proc_readonly(const Init& init, const ProcNames& names) {
  if (names.fd() < 0 || !has_plain_procfs(init)) return false;
  Spot source{static_cast<int>(copy_readonly(Spot{names.fd()}, false))};
  if (source.fd < 0) source.fd = names.fd();
  for (plan::Text text : init.list(init.plan.readonly_paths)) {
    const char* path = init.text(text);
    Spot spot{names.fd()};
    const ProcNames::Kind kind = names.kind(path, spot.name);
    if (kind == ProcNames::Kind::absent || kind == ProcNames::Kind::unknown) continue;
    source.name = spot.name;
    must(init, bind_on(spot, source), "make ", path, " read-only");
  }
  if (source.fd != names.fd()) return true;
  const char* all = "make what /proc has read-only";
  must(init, mount_setattr(names.fd(), true, MOUNT_ATTR_RDONLY, 0), all);
  must(init, mount_setattr(names.fd(), false, 0, MOUNT_ATTR_RDONLY), all);
  return true;
}

void make_readonly(Init& init, Scratch& scratch, const ProcNames& names) {
  const bool proc_is_done = make_proc_readonly(init, names);
  for (plan::Text text : init.list(init.plan.readonly_paths)) {
    const char* path = init.text(text);
    Spot spot{names.fd()};
    const ProcNames::Kind kind = names.kind(path, spot.name);
    if (kind == ProcNames::Kind::absent) continue;
    if (kind == ProcNames::Kind::unknown) {
      const long target = open_in_root(init, path, O_PATH);
      if (target == -ENOENT || target == -ENOTDIR) continue;
      spot = {static_cast<int>(must(init, target, "make ", path, " read-only"))};
    } else if (proc_is_done) {
      continue;
    }
    int tree = static_cast<int>(must(init, open_readonly_tree(spot), "make ", path, " read-only"));
    must(init, move_mount(tree, spot), "make ", path, " read-only");
    (void)scratch.used(2);
  }
}

// Mounts that had to be written to until now: /dev, and the directory of the cgroup v1 mounts.
void seal_mounts(const Init& init) {
  for (const plan::Mount& mount : init.list(init.plan.mounts)) {
    if (!mount.seal_later) continue;
    const char* path = init.text(mount.destination);
    int fd =
        static_cast<int>(must(init, open_in_root(init, path, O_PATH | O_DIRECTORY), "open ", path));
    must(init, mount_setattr(fd, false, MOUNT_ATTR_RDONLY, 0), "make ", path, " read-only");
  }
}

}  // namespace

void check_null(const Init& init, int fd) {
  struct stat status{};
  must(init, bare::call(SYS_newfstatat, fd, "", &status, AT_EMPTY_PATH), "stat /dev/null");
  if (!S_ISCHR(status.st_mode) || status.st_rdev != bare::device_number(1, 3)) {
    fail(init, 0, "/dev/null of this host is not the null device");
  }
}

void seal_paths(Init& init) {
  if (init.root < 0) return;
  seal_mounts(init);
  const ProcNames& names = ProcNames::of(init);
  Scratch scratch(init);
  make_readonly(init, scratch, names);
  mask(init, scratch, names);
  // Those that keep parts of the host's tree alive; one that goes straight on to its program closes
  // all of them with the exec.
  if (init.plan.purpose == plan::Purpose::create) sweep(init);
}

}  // namespace ocirt::init
