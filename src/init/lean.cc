// A mount namespace that begins with the host's root alone (container/draft_lean_mounts.h): what is
// needed of the host's mounts is opened first, as detached copies, which are nobody's until they
// are attached.
#include <sched.h>

#include "src/init/init.h"
#include "src/init/mount_api.h"
#include "src/init/mount_steps.h"

namespace ocirt::init {
namespace {

// Linux 7.0.
constexpr unsigned kOpenTreeNamespace = 1U << 1;

// As a copy of all mounts would have it: nothing that happens below reaches the host.
void cut_off(const Init& init, int tree, bool recursive, const char* path) {
  const uint64_t propagation = init.plan.root_propagation & (MS_SLAVE | MS_PRIVATE);
  must(init, mount_setattr(tree, recursive, 0, 0, propagation), "set the propagation of ", path);
}

void open_sources(Init& init) {
  static int opened[plan::kMostLeanMounts];
  const auto mounts = init.list(init.plan.mounts);
  for (size_t i = 0; i < mounts.size(); ++i) {
    const plan::Mount& mount = mounts[i];
    opened[i] = -1;
    if (mount.kind != plan::MountKind::bind || mount.tree >= 0) continue;
    opened[i] = open_source(init, mount);
    cut_off(init, opened[i], mount.recursive, init.text(mount.source));
  }
  init.sources = opened;
}

void attach(const Init& init, int tree, const char* path) {
  must(init, bare::call(SYS_move_mount, tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH),
       "attach ", path);
}

}  // namespace

bool enter_lean_namespace(Init& init) {
  const long made =
      bare::call(SYS_open_tree, AT_FDCWD, "/", kOpenTreeNamespace | OPEN_TREE_CLOEXEC);
  if (made < 0) {  // a filter that does not know it, or a kernel that lost it
    must(init, bare::call(SYS_unshare, CLONE_NEWNS), "make a mount namespace");
    return false;
  }
  const char* root = init.text(init.plan.root);
  init.root = static_cast<int>(must(init, open_tree(AT_FDCWD, root, true), "bind ", root));
  cut_off(init, init.root, true, root);
  // By /proc/self/fd mounts are made, and of /dev the null device masks files.
  const int proc = static_cast<int>(must(init, open_tree(AT_FDCWD, "/proc", false), "bind /proc"));
  const int dev = static_cast<int>(must(init, open_tree(AT_FDCWD, "/dev", false), "bind /dev"));
  const char* step = init.step;
  init.step = "mounts";
  open_sources(init);
  init.step = step;
  must(init, bare::call(SYS_setns, made, CLONE_NEWNS), "enter the mount namespace");
  must(init, bare::mount(nullptr, "/", nullptr, MS_PRIVATE, nullptr), "set the propagation of /");
  attach(init, proc, "/proc");
  attach(init, dev, "/dev");
  // On top of everything: pivot_root(2) wants a mount of its own, and no path comes across it.
  attach(init, init.root, "/");
  return true;
}

}  // namespace ocirt::init
