// linux.maskedPaths and linux.readonlyPaths (config-linux.md): files that the container must not
// read are covered by /dev/null, directories by one shared, empty, read-only tmpfs; read-only paths
// are bound onto themselves. What is not there needs no cover.
#include "src/init/init.h"
#include "src/init/mount_api.h"
#include "src/init/path.h"
#include "src/init/scratch.h"

namespace ocirt::init {
namespace {

// The host's /dev/null, and proof that it is one: with something else in its place a masked file
// would show that instead (CVE-2025-31133).
int open_null(const Init& init) {
  int fd = static_cast<int>(
      must(init, bare::openat(AT_FDCWD, "/dev/null", O_PATH | O_NOFOLLOW), "open /dev/null"));
  struct stat status{};
  must(init, bare::call(SYS_newfstatat, fd, "", &status, AT_EMPTY_PATH), "stat /dev/null");
  if (!S_ISCHR(status.st_mode) || status.st_rdev != bare::device_number(1, 3)) {
    fail(init, 0, "/dev/null of this host is not the null device");
  }
  return fd;
}

// What covers masked paths. Detached copies of it are attached, one for each.
struct Covers {
  int null = -1;   // the null device, over files
  int empty = -1;  // an empty read-only tmpfs, over directories: one superblock for all of them
  int spare = -1;  // a copy of `null` that could not be attached to a directory
};

int copy_of(const Init& init, int source, const char* path) {
  return static_cast<int>(must(init, open_tree(source, "", false), "mask ", path));
}

void mask_directory(const Init& init, Covers& covers, int target, const char* path) {
  if (covers.empty >= 0) {
    must(init, move_mount(copy_of(init, covers.empty, path), target), "mask ", path);
    return;
  }
  must(init, mount_on(target, "tmpfs", "tmpfs", MS_RDONLY, init.text(init.plan.mask_data)), "mask ",
       path);
  covers.empty = static_cast<int>(must(init, open_in_root(init, path, O_PATH), "mask ", path));
}

void mask(Init& init) {
  Covers covers;
  Scratch scratch(init);
  for (plan::Text text : init.list(init.plan.masked_paths)) {
    const char* path = init.text(text);
    long opened = open_in_root(init, path, O_PATH);
    if (opened == -ENOENT || opened == -ENOTDIR) continue;
    int target = static_cast<int>(must(init, opened, "mask ", path));
    if (covers.null < 0) covers.null = open_null(init);
    int cover = covers.spare >= 0 ? covers.spare : copy_of(init, covers.null, path);
    covers.spare = -1;
    // The kernel knows whether it is a directory, and says so by refusing a file over one.
    long result = move_mount(cover, target);
    if (result == -ENOTDIR || result == -EINVAL) {
      covers.spare = cover;
      mask_directory(init, covers, target, path);
    } else {
      must(init, result, "mask ", path);
    }
    if (scratch.used(3)) covers = Covers();
  }
}

void make_readonly(Init& init) {
  Scratch scratch(init);
  for (plan::Text text : init.list(init.plan.readonly_paths)) {
    const char* path = init.text(text);
    long target = open_in_root(init, path, O_PATH);
    if (target == -ENOENT || target == -ENOTDIR) continue;
    int fd = static_cast<int>(must(init, target, "make ", path, " read-only"));
    int tree = static_cast<int>(must(init, open_readonly_tree(fd), "make ", path, " read-only"));
    must(init, move_mount(tree, fd), "make ", path, " read-only");
    scratch.used(2);
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

void seal_paths(Init& init) {
  if (init.root < 0) return;
  seal_mounts(init);
  make_readonly(init);
  mask(init);
  // Those that keep parts of the host's tree alive; one that goes straight on to its program closes
  // all of them with the exec.
  if (init.plan.purpose == plan::Purpose::create) sweep(init);
}

}  // namespace ocirt::init
