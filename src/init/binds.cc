// Bind mounts (config.md, "Linux mount"). The source is copied as a detached tree, gets its options
// while nobody can reach it, and is attached by descriptor: there is no moment in which the
// container could see it with other options, and no path that could be swapped.
#include <linux/limits.h>

#include "src/init/init.h"
#include "src/init/mount_api.h"
#include "src/init/mount_steps.h"
#include "src/init/path.h"

namespace ocirt::init {
namespace {

// The detached copy of the source: ocirt's own where only it could make it (ids mapped, or a source
// that this process does not see).
int detached_source(Init& init, const plan::Mount& mount) {
  if (mount.tree >= 0) return mount.tree;
  if (init.is_lean) return open_source_on_host(init, mount);
  return open_source(init, mount);
}

// "copy-symlink": true when the source was a symlink and has been made again in the container.
// What is there already is left alone if it is the same link, as crun has it.
bool made_symlink(const Init& init, Parent& parent, const plan::Mount& mount) {
  char target[PATH_MAX], present[PATH_MAX];
  const char* source = init.text(mount.source);
  long size = bare::call(SYS_readlinkat, AT_FDCWD, source, target, sizeof target - 1);
  if (size == -EINVAL) return false;  // something else than a symlink
  must_for(init, mount, size, ": read the symbolic link ", source);
  target[size] = '\0';
  const char* name = nullptr;
  int directory = parent.of(init, init.text(mount.destination), name);
  long result = bare::symlinkat(target, directory, name);
  if (result == -EEXIST) {
    long there = bare::call(SYS_readlinkat, directory, name, present, sizeof present);
    if (there == size && std::memcmp(present, target, static_cast<size_t>(size)) == 0) return true;
    fail_for(init, mount, 0, ": copy-symlink: the rootfs has something else than a link to ",
             target, " there");
  }
  must_for(init, mount, result, ": copy-symlink");
  return true;
}

// A tmpfs that ocirt has made gets the mode of the directory that it is going to cover.
void copy_mode(const Init& init, Parent& parent, const plan::Mount& mount, int tree) {
  const Target target = open_or_make_directory(init, parent, init.text(mount.destination), false);
  if (target.made) return;
  struct stat status{};
  must(init, bare::call(SYS_newfstatat, target.fd, "", &status, AT_EMPTY_PATH), "stat");
  int top = static_cast<int>(
      must_for(init, mount, bare::openat(tree, ".", O_RDONLY | O_DIRECTORY), ": open"));
  must_for(init, mount, bare::call(SYS_fchmod, top, status.st_mode & 07777), ": chmod");
  bare::close(top);
}

}  // namespace

int open_source(const Init& init, const plan::Mount& mount) {
  const char* source = init.text(mount.source);
  long opened = open_tree(AT_FDCWD, source, mount.recursive, mount.source_nofollow);
  if (opened == -EACCES && init.plan.user.settles) {
    const auto number = static_cast<uint32_t>(&mount - init.list(init.plan.mounts).data());
    opened = open_tree(fetch(init, number), "", mount.recursive);
  }
  if (opened == -ENOENT) {
    fail_for(init, mount, 0, ": the source of the bind mount, ", source,
             ", is not there on this host");
  }
  return static_cast<int>(must_for(init, mount, opened, ": bind ", source));
}

bool mount_bind(Init& init, Parent& parent, const plan::Mount& mount) {
  const char* source = init.text(mount.source);
  if (mount.copy_symlink && made_symlink(init, parent, mount)) return false;
  const int tree = detached_source(init, mount);
  if (mount.mode_from_target) copy_mode(init, parent, mount, tree);
  if ((mount.recursive_attr_set | mount.recursive_attr_clear) != 0) {
    must_for(init, mount,
             mount_setattr(tree, true, mount.recursive_attr_set, mount.recursive_attr_clear),
             ": set recursive options");
  }
  if ((mount.attr_set | mount.attr_clear) != 0) {
    must_for(init, mount, mount_setattr(tree, false, mount.attr_set, mount.attr_clear),
             ": set options",
             init.plan.user.limits() && mount.attr_clear != 0
                 ? " (in a user namespace those that the source is mounted with stay)"
                 : "");
  }
  // Nothing that happens below may reach the host's mount, least of all its end.
  if (init.plan.shares_mounts) {
    must_for(init, mount, mount_setattr(tree, true, 0, 0, MS_SLAVE), ": set propagation");
  }
  set_propagation(init, mount, tree);
  struct stat status{};
  must_for(init, mount, bare::call(SYS_newfstatat, tree, "", &status, AT_EMPTY_PATH), ": stat ",
           source);
  const char* destination = init.text(mount.destination);
  if (S_ISDIR(status.st_mode)) refuse_symlink(init, mount);
  const auto [target, made, literal] =
      S_ISDIR(status.st_mode)
          ? open_or_make_directory(init, parent, destination, false)
          : open_or_make_file(init, parent, destination, !mount.destination_nofollow);
  if (!made && !literal) refuse_inside_proc(init, mount, target);
  long moved = move_mount(tree, target);
  if (moved == -EINVAL && !S_ISDIR(status.st_mode)) {
    must(init, bare::call(SYS_newfstatat, target, "", &status, AT_EMPTY_PATH), "stat");
    if (S_ISDIR(status.st_mode)) {  // engines look for the words of ENOTDIR
      fail_for(init, mount, ENOTDIR, ": bind ", source, ", a file, over a directory");
    }
  }
  must_for(init, mount, moved, ": bind ", source);
  return literal;
}

}  // namespace ocirt::init
