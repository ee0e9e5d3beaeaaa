// Changes of a mount that is there already: "remount" of config.json, and removal from a running
// container.
//
// mount(2)'s MS_REMOUNT takes the whole set of options anew: what is not named is taken away, and
// the kernel refuses to take away what is locked. Here only the words that are there have an
// effect, so options of the host that are locked (mount_namespaces(7)) stay. With "bind" it is the
// mount that changes, without it its file system too, like mount(8)'s.
#include "src/init/channel.h"
#include "src/init/init.h"
#include "src/init/mount_api.h"
#include "src/init/mount_steps.h"
#include "src/init/path.h"

namespace ocirt::init {
namespace {

// What is open on the root of the topmost mount at the destination.
int open_mount(const Init& init, const plan::Mount& mount) {
  const int flags = O_PATH | (mount.destination_nofollow ? O_NOFOLLOW : 0);
  // A container that runs may have put a link there, to have a read-only path of its made writable.
  const uint64_t resolve = init.plan.purpose == plan::Purpose::mounts ? RESOLVE_NO_SYMLINKS : 0;
  int fd = static_cast<int>(must_for(
      init, mount, open_in_root(init, init.text(mount.destination), flags, resolve), ": open"));
  struct statx info{};
  must_for(init, mount, bare::call(SYS_statx, fd, "", AT_EMPTY_PATH, 0, &info), ": statx");
  if ((info.stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0) {
    fail_for(init, mount, 0, ": nothing is mounted there");
  }
  return fd;
}

}  // namespace

// setns(2) into a mount namespace makes its root ours.
void open_joined_root(Init& init) {
  init.root = init.plan.root_fd;
  if (init.root >= 0) return;
  init.root = must_open(init, "/", O_PATH | O_DIRECTORY);
}

void end_mounts(Init& init) {
  tell(init, plan::Word::ready);
  bare::exit_now(0);
}

void remount(const Init& init, const plan::Mount& mount) {
  const int fd = open_mount(init, mount);
  if (mount.data.given()) reconfigure(init, mount, fd);
  const struct {
    bool recursive;
    uint64_t set, clear;
  } steps[] = {{true, mount.recursive_attr_set, mount.recursive_attr_clear},
               {false, mount.attr_set, mount.attr_clear}};
  for (const auto& step : steps) {
    if ((step.set | step.clear) == 0) continue;
    long result = mount_setattr(fd, step.recursive, step.set, step.clear);
    if (result == -EPERM) {
      fail_for(
          init, mount, 0,
          ": remount: an option to be taken away is locked, since the mount comes from a mount ",
          "namespace with more rights");
    }
    must_for(init, mount, result, ": remount");
  }
  set_propagation(init, mount, fd);
}

// By name in its directory, without any symlink on the way: a container that runs may have put
// links there to have the cover of another path taken away. (By "/proc/self/fd" would be the
// container's /proc.)
void remove_mount(const Init& init, const plan::Mount& mount) {
  const char* path = init.text(mount.destination);
  bare::Buffer<4096> directory;
  std::string_view name = path;
  const size_t slash = name.rfind('/');
  directory << name.substr(0, slash + 1);
  name.remove_prefix(slash + 1);
  if (name.empty() || directory.cut()) fail_for(init, mount, 0, ": no mount");
  must_for(init, mount, open_in_root(init, path, O_PATH | O_NOFOLLOW, RESOLVE_NO_SYMLINKS),
           ": open without following symbolic links");
  long parent = must_for(
      init, mount, open_in_root(init, directory.c_str(), O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS),
      ": open without following symbolic links");
  must_for(init, mount, bare::call(SYS_fchdir, parent), ": enter its directory");
  // `name` is the end of `path`, and so ends where that does.
  long result = bare::call(SYS_umount2, name.data(), MNT_DETACH | UMOUNT_NOFOLLOW);
  if (result == -EINVAL) {
    fail_for(init, mount, 0, ": nothing is mounted there, or it is locked to the mount below");
  }
  must_for(init, mount, result, ": unmount");
}

}  // namespace ocirt::init
