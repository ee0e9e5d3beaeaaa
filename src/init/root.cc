// The root of the container's mount namespace: made from the bundle's directory, then switched to.

#include "src/init/host_mounts.h"
#include "src/init/init.h"
#include "src/init/mount_api.h"
#include "src/init/path.h"

namespace ocirt::init {
namespace {

constexpr unsigned long kPropagation = MS_SHARED | MS_SLAVE | MS_PRIVATE | MS_UNBINDABLE;

// Whether nothing that happens to our copy of the host's mounts can reach the host.
bool is_cut_off(const plan::Plan& plan) {
  return (plan.root_propagation & MS_REC) != 0 &&
         (plan.root_propagation & (MS_SLAVE | MS_PRIVATE)) != 0;
}

// pivot_root(2) refuses, and a mount would show on the host, while the mount that holds the rootfs
// is shared. Its root is found by going up, which costs nothing on a host with thousands of mounts.
void make_parent_mount_private(const Init& init, const char* root) {
  int here = static_cast<int>(must(init, bare::openat(AT_FDCWD, root, O_PATH | O_DIRECTORY), root));
  for (;;) {
    struct statx info{};
    must(init, bare::call(SYS_statx, here, "", AT_EMPTY_PATH, 0, &info), "statx above ", root);
    if ((info.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0) break;
    long up = must(init, bare::openat(here, "..", O_PATH | O_DIRECTORY), "open above ", root);
    bare::close(here);
    here = static_cast<int>(up);
  }
  must(init, mount_setattr(here, false, 0, 0, MS_PRIVATE), "make the mount of ", root, " private");
  bare::close(here);
}

// Makes process.cwd, when the image has none, while that can be done: the root is about to become
// read-only. What else can be wrong with the path is found out when it is entered.
void make_working_directory(const Init& init) {
  const plan::Process& process = init.plan.process;
  if (!process.create_cwd || init.view.view(process.cwd) == "/") return;
  const char* cwd = init.text(process.cwd);
  long fd = open_in_root(init, cwd, O_PATH | O_DIRECTORY);
  if (fd == -ENOENT) fd = open_directory(init, cwd);
  if (fd >= 0) bare::close(static_cast<int>(fd));
}

}  // namespace

void prepare_root(Init& init) {
  const plan::Plan& plan = init.plan;
  if (!plan.build_root) return;
  if (plan.lean_mounts && enter_lean_namespace(init)) return;
  const char* root = init.text(plan.root);
  // First of all our copy of the host's mounts stops sending mounts back.
  if (!plan.shares_mounts) {
    must(init, bare::mount(nullptr, "/", nullptr, plan.root_propagation, nullptr),
         "set the propagation of /");
    if (!is_cut_off(plan)) make_parent_mount_private(init, root);
  }
  // pivot_root(2) wants a mount of its own.
  long tree = open_tree(AT_FDCWD, root, true);
  if (tree == -EACCES && plan.user.settles) {
    int place = fetch(init, plan::kNoIndex);
    init.root = static_cast<int>(must(init, open_tree(place, "", true), "bind ", root));
    must(init, move_mount(init.root, place), "bind ", root, " onto itself");
    bare::close(place);
    return;
  }
  init.root = static_cast<int>(must(init, tree, "bind ", root));
  must(init, bare::call(SYS_move_mount, init.root, "", AT_FDCWD, root, MOVE_MOUNT_F_EMPTY_PATH),
       "bind ", root, " onto itself");
  // What is mounted on the host below this one goes with it.
  if (plan.shares_mounts) {
    must(init, mount_setattr(init.root, true, 0, 0, MS_PRIVATE), "make ", root, " private");
  }
}

void switch_root(Init& init) {
  const plan::Plan& plan = init.plan;
  if (!plan.build_root) return;
  if (plan.readonly_root) {
    make_working_directory(init);
    must(init, mount_setattr(init.root, false, MOUNT_ATTR_RDONLY, 0), "make the root read-only");
  }
  must(init, bare::call(SYS_fchdir, init.root), "enter the root");
  if (plan.shares_mounts || init.is_lean) {
    must(init, bare::call(SYS_chroot, "."), "chroot");
  } else if (plan.no_pivot) {
    // What is taken away here must not be taken away on the host.
    must(init, bare::mount(nullptr, "/", nullptr, MS_SLAVE | MS_REC, nullptr),
         "cut the mounts off from the host's");
    hide_host_mounts(init);
    must(init, bare::mount(".", "/", nullptr, MS_MOVE, nullptr), "move the root to /");
    must(init, bare::call(SYS_chroot, "."), "chroot");
    must(init, bare::call(SYS_chdir, "/"), "enter the new root");
  } else {
    // The old root lands on top of the new one, from where it is taken away: no directory for it is
    // needed in the image (pivot_root(2), NOTES).
    long old = -1;
    if (!is_cut_off(plan)) {
      old = must(init, bare::openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY), "open the old root");
    }
    must(init, bare::call(SYS_pivot_root, ".", "."), "pivot_root");
    if (old >= 0) {  // or taking it away here would take it away on the host
      must(init, mount_setattr(static_cast<int>(old), true, 0, 0, MS_SLAVE),
           "cut the old root off from the host's mounts");
      bare::close(static_cast<int>(old));
    }
    must(init, bare::call(SYS_umount2, ".", MNT_DETACH), "take the old root away");
  }
  if (plan.final_propagation != 0 && !plan.shares_mounts) {
    must(init,
         bare::mount(nullptr, "/", nullptr, plan.final_propagation & (kPropagation | MS_REC),
                     nullptr),
         "set linux.rootfsPropagation");
  }
  init.root = -1;  // closed with all the others when the program is executed
}

}  // namespace ocirt::init
