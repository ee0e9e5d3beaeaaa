// A mount namespace that has nothing of the host's (container/draft_lean_mounts.h): the root is the
// top of it from the beginning, so that nobody has to be moved there by pivot_root(2), which looks
// at every process of the host, and nothing to be taken away.
//
// What the host's mounts are needed for is copied while we are in its namespace, as detached
// mounts, which are nobody's until they are attached; for sources of bind mounts we go back. All of
// them could be opened first, but since Linux 6.8 a mount table has the order in which mounts were
// made, and that is to be the document's.
//
// No path leads to the host's procfs any more, by which mounts are made (mount_api.h), so we are in
// it until the root is switched. And setns(2) puts us at the top of the host's mounts, so that a
// caller in a chroot cannot have this (container/new_container.cc).
#include <sched.h>

#include <algorithm>

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

bool is_opened_here(const plan::Mount& mount) {
  return mount.kind == plan::MountKind::bind && mount.tree < 0;
}

bool has_sources(const Init& init) {
  const auto mounts = init.list(init.plan.mounts);
  return std::any_of(mounts.begin(), mounts.end(), is_opened_here);
}

void open_null(Init& init) {
  if (init.plan.masked_paths.count == 0) return;
  init.step = "masked paths";
  const char* path = "/dev/null";
  init.null = static_cast<int>(must(init, open_tree(AT_FDCWD, path, false, true), "open ", path));
  check_null(init, init.null);
  cut_off(init, init.null, false, path);
}

int open_root(const Init& init, const char* root) {
  const int tree = static_cast<int>(must(init, open_tree(AT_FDCWD, root, true), "bind ", root));
  cut_off(init, tree, true, root);
  return tree;
}

// Of one with few mounts. What it has stays below the root, where nobody without CAP_SYS_ADMIN can
// look, and cannot be used by who could.
bool enter_copy(const Init& init, const char* root) {
  bare::Buffer<32> path;
  path << init.plan.few_mounts << "/ns/mnt";
  const long found = bare::openat(init.host_procfs, path.c_str(), O_RDONLY);
  if (found < 0) return false;
  struct stat status{};
  const bool is_it =
      bare::call(SYS_fstat, found, &status) == 0 && status.st_ino == init.plan.few_mounts_inode;
  const long entered = is_it ? bare::call(SYS_setns, found, CLONE_NEWNS) : -ENOENT;
  bare::close(static_cast<int>(found));
  if (entered < 0) return false;  // EPERM: we are confined; a copy of the host's does as well
  must(init, bare::call(SYS_unshare, CLONE_NEWNS), "make a mount namespace");
  constexpr uint64_t kUseless =
      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  must(init, mount_setattr(AT_FDCWD, true, kUseless, 0, MS_PRIVATE, "/"), "set the options of /");
  must(init, move_mount(init.root, Spot{AT_FDCWD, "/"}), "attach ", root);
  return true;
}

bool enter_tree(Init& init, int made, const char* root) {
  must(init, bare::call(SYS_setns, made, CLONE_NEWNS), "enter the mount namespace");
  bare::close(made);
  init.root = must_open(init, "/", O_PATH | O_DIRECTORY);
  cut_off(init, init.root, true, root);
  return true;
}

}  // namespace

int open_source_on_host(Init& init, const plan::Mount& mount) {
  static int sources[plan::kMostLeanMounts];
  const auto mounts = init.list(init.plan.mounts);
  const auto number = static_cast<size_t>(&mount - mounts.data());
  if (number < init.opened_sources) return sources[number];
  const char* where = "go to the host's mounts";
  if (init.own_mounts < 0) init.own_mounts = must_open(init, "self/ns/mnt", O_RDONLY);
  must(init, bare::call(SYS_setns, init.host_mounts, CLONE_NEWNS), where);
  for (size_t i = number; i < mounts.size() && mounts[i].kind == plan::MountKind::bind; ++i) {
    if (!is_opened_here(mounts[i])) continue;
    sources[i] = open_source(init, mounts[i]);
    cut_off(init, sources[i], mounts[i].recursive, init.text(mounts[i].source));
    init.opened_sources = i + 1;
  }
  init.sources = sources;
  must(init, bare::call(SYS_setns, init.own_mounts, CLONE_NEWNS), where);
  must(init, bare::call(SYS_fchdir, init.host_procfs), "enter /proc");
  return sources[number];
}

void forget_host(Init& init) {
  for (int* fd : {&init.host_procfs, &init.host_mounts, &init.own_mounts}) {
    if (*fd >= 0) bare::close(*fd);
    *fd = -1;
  }
}

bool enter_lean_namespace(Init& init) {
  const char* step = init.step;
  const char* root = init.text(init.plan.root);
  const bool copies = init.plan.few_mounts != 0;
  const long made = copies ? 0
                           : bare::call(SYS_open_tree, AT_FDCWD, root,
                                        kOpenTreeNamespace | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
  // Below: a filter that does not know it, or a kernel that lost it.
  if (made >= 0) {
    init.host_procfs = must_open(init, "/proc", O_PATH | O_DIRECTORY);
    if (copies) init.root = open_root(init, root);  // the first of the mount table
    open_null(init);
    if (has_sources(init)) init.host_mounts = must_open(init, "/proc/self/ns/mnt", O_RDONLY);
    init.step = step;
    init.is_lean = copies ? enter_copy(init, root) : enter_tree(init, static_cast<int>(made), root);
  }
  if (init.is_lean) {
    must(init, bare::call(SYS_fchdir, init.host_procfs), "enter /proc");
    host_proc = "";
  } else {
    must(init, bare::call(SYS_unshare, CLONE_NEWNS), "make a mount namespace");
    forget_host(init);
  }
  return init.is_lean;
}

}  // namespace ocirt::init
