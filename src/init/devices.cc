// Device nodes and the links of /dev (config-linux.md, "Devices" and "Default Devices";
// runtime-linux.md, "Dev symbolic links").
#include "src/init/init.h"
#include "src/init/mount_api.h"
#include "src/init/path.h"
#include "src/init/proc_names.h"
#include "src/init/scratch.h"

namespace ocirt::init {
namespace {

// An image may bring the node along; anything else of that name would pretend to be the device.
// What was looked at is what is changed: by descriptor, since somebody else may be able to write
// the directory.
void take_over_node(const Init& init, int directory, const char* name, const plan::Device& device) {
  const char* path = init.text(device.path);
  const unsigned long number = bare::device_number(device.major, device.minor);
  int node = static_cast<int>(
      must(init, bare::openat(directory, name, O_PATH | O_NOFOLLOW), "open ", path));
  struct stat status{};
  must(init, bare::call(SYS_newfstatat, node, "", &status, AT_EMPTY_PATH), "stat ", path);
  const bool same = (status.st_mode & S_IFMT) == (device.mode & S_IFMT) &&
                    (S_ISFIFO(device.mode) || status.st_rdev == number);
  if (!same) fail(init, 0, path, ": the rootfs has something else of that name");
  must(init, bare::call(SYS_fchmodat, AT_FDCWD, path_of(Spot{node}).c_str(), device.mode & 07777),
       "chmod ", path);
  must(init, bare::fchownat(node, "", device.uid, device.gid, AT_EMPTY_PATH), "chown ", path);
}

// In a user namespace no device can be made (mknod(2)): the host's node of that path is bound. Its
// owner and mode stay the host's.
void bind_node(const Init& init, Parent& parent, const plan::Device& device) {
  const char* path = init.text(device.path);
  long opened = open_tree(AT_FDCWD, path, false);
  if (opened == -ENOENT) {
    fail(init, 0, path, ": the host has no such device, and in a user namespace none can be made");
  }
  int tree = static_cast<int>(must(init, opened, "bind ", path));
  struct stat status{};
  must(init, bare::call(SYS_newfstatat, tree, "", &status, AT_EMPTY_PATH), "stat ", path);
  if ((status.st_mode & S_IFMT) != (device.mode & S_IFMT) ||
      status.st_rdev != bare::device_number(device.major, device.minor)) {
    fail(init, 0, path, ": the host has another device of that name, and in a user namespace none ",
         "can be made");
  }
  int target = open_or_make_file(init, parent, path).fd;
  must(init, move_mount(tree, target), "bind ", path);
}

// A node that ocirt has made: a copy of it, while the tree is attached.
void bind_premade(const Init& init, Parent& parent, const plan::Device& device) {
  bare::Buffer<16> name;
  name << &device - init.list(init.plan.devices).data();
  const char* path = init.text(device.path);
  int node = static_cast<int>(
      must(init, open_tree(init.plan.device_tree, name.c_str(), false), "bind ", path));
  const int target = open_or_make_file(init, parent, path).fd;
  must(init, move_mount(node, target), "bind ", path);
}

void make_node(const Init& init, Parent& parent, const plan::Device& device) {
  if (device.premade && init.plan.device_tree >= 0) {
    bind_premade(init, parent, device);
    return;
  }
  if (init.plan.user.limits() && !S_ISFIFO(device.mode)) {
    bind_node(init, parent, device);
    return;
  }
  const char* path = init.text(device.path);
  const char* name = nullptr;
  int directory = parent.of(init, path, name);
  const unsigned long number = bare::device_number(device.major, device.minor);
  // The umask is 0, so the mode is as asked.
  long result = bare::mknodat(directory, name, device.mode, number);
  if (result == -EEXIST) {
    take_over_node(init, directory, name, device);
    return;
  }
  must(init, result, "mknod ", path);
  if (device.uid == 0 && device.gid == 0) return;
  must(init, bare::fchownat(directory, name, device.uid, device.gid, AT_SYMLINK_NOFOLLOW), "chown ",
       path);
}

// In this kernel's procfs. With hooks, which may mount there, it is not looked at yet.
bool is_in_proc(Init& init, const char* path) {
  const char* name = nullptr;
  if (init.plan.create_container.count == 0 && !init.plan.hooks_outside) {
    const ProcNames::Kind kind = ProcNames::of(init).kind(path, name);
    if (kind != ProcNames::Kind::unknown) return kind != ProcNames::Kind::absent;
  }
  return bare::call(SYS_faccessat, AT_FDCWD, path, 0 /* F_OK */) == 0;
}

void make_link(Init& init, Parent& parent, const plan::Link& link) {
  if (link.only_if_target && !is_in_proc(init, init.text(link.target))) return;
  const char* path = init.text(link.path);
  const char* name = nullptr;
  int directory = parent.of(init, path, name);
  long result = bare::symlinkat(init.text(link.target), directory, name);
  if (result == -EEXIST) return;  // the image's own, as the peers leave it
  must(init, result, "link ", path);
}

}  // namespace

void make_devices(Init& init) {
  if (!init.plan.make_devices) return;
  Parent parent;
  if (init.dev >= 0) parent.is_dev(init.dev);
  Scratch scratch(init);
  const int tree = init.plan.device_tree;
  // Only of what is mounted can copies be made (Linux before 6.15). On top of the host's root,
  // which no path comes across: "/" is what is below.
  if (tree >= 0) {
    const int top = must_open(init, "/", O_PATH | O_DIRECTORY);
    must(init, move_mount(tree, top), "attach the devices");
    bare::close(top);
  }
  for (const plan::Device& device : init.list(init.plan.devices)) {
    make_node(init, parent, device);
    if (scratch.used(3)) parent.forget();
  }
  if (tree >= 0) {
    must(init, bare::call(SYS_umount2, path_of(Spot{tree}).c_str(), MNT_DETACH),
         "detach the devices");
    bare::close(tree);
  }
  for (const plan::Link& link : init.list(init.plan.links)) make_link(init, parent, link);
}

}  // namespace ocirt::init
