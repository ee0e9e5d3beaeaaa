#include "src/sys/mount_tree.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "src/base/text.h"
#include "src/sys/file.h"

namespace ocirt::sys {

Result<UniqueFd> open_mount_tree(CStr path, bool recursive, bool follow) {
  const unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
                         (recursive ? static_cast<unsigned>(AT_RECURSIVE) : 0) |
                         (follow ? 0 : static_cast<unsigned>(AT_SYMLINK_NOFOLLOW));
  const long fd = ::syscall(SYS_open_tree, AT_FDCWD, path.c_str(), flags);
  if (fd < 0) return os_error(cat("copy the mount of ", path.view()), errno);
  return UniqueFd(static_cast<int>(fd));
}

Result<> map_mount_ids(Fd tree, bool recursive, Fd user_namespace) {
  mount_attr attr{};
  attr.attr_set = MOUNT_ATTR_IDMAP;
  attr.userns_fd = static_cast<uint64_t>(user_namespace.raw());
  const unsigned flags = AT_EMPTY_PATH | (recursive ? static_cast<unsigned>(AT_RECURSIVE) : 0);
  if (::syscall(SYS_mount_setattr, tree.raw(), "", flags, &attr, sizeof attr) < 0) {
    return os_error("map the ids of a mount", errno);
  }
  return {};
}

Result<> set_tree_attributes(Fd tree, uint64_t set) {
  mount_attr attr{};
  attr.attr_set = set;
  if (::syscall(SYS_mount_setattr, tree.raw(), "", AT_EMPTY_PATH, &attr, sizeof attr) < 0) {
    return os_error("set the options of a mount", errno);
  }
  return {};
}

Result<> attach_mount_tree(Fd tree, CStr path) {
  const unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS;
  if (::syscall(SYS_move_mount, tree.raw(), "", AT_FDCWD, path.c_str(), flags) < 0) {
    return os_error(cat("attach a mount at ", path.view()), errno);
  }
  return {};
}

Result<> set_mount_propagation(Fd tree, uint64_t propagation) {
  mount_attr attr{};
  attr.propagation = propagation;
  if (::syscall(SYS_mount_setattr, tree.raw(), "", AT_EMPTY_PATH | AT_RECURSIVE, &attr,
                sizeof attr) < 0) {
    return os_error("set the propagation of a mount", errno);
  }
  return {};
}

Result<> set_mount_attributes(CStr path, bool recursive, uint64_t set, uint64_t clear) {
  mount_attr attr{};
  attr.attr_set = set;
  attr.attr_clr = clear;
  const unsigned flags = recursive ? static_cast<unsigned>(AT_RECURSIVE) : 0;
  if (::syscall(SYS_mount_setattr, AT_FDCWD, path.c_str(), flags, &attr, sizeof attr) < 0) {
    return os_error(cat("set the options of the mount at ", path.view()), errno);
  }
  return {};
}

Result<> set_mount_propagation_at(CStr path, bool recursive, uint64_t propagation) {
  mount_attr attr{};
  attr.propagation = propagation;
  const unsigned flags = recursive ? static_cast<unsigned>(AT_RECURSIVE) : 0;
  if (::syscall(SYS_mount_setattr, AT_FDCWD, path.c_str(), flags, &attr, sizeof attr) < 0) {
    return os_error(cat("set the propagation of the mount at ", path.view()), errno);
  }
  return {};
}

Result<uint64_t> mount_id(CStr path) {
  struct statx info{};
  if (::statx(AT_FDCWD, path.c_str(), 0, STATX_MNT_ID, &info) < 0) {
    return os_error(cat("statx ", path.view()), errno);
  }
  return info.stx_mnt_id;
}

Result<> unmount_tree(CStr path) {
  if (::mount(nullptr, path.c_str(), nullptr, MS_PRIVATE | MS_REC, nullptr) < 0 ||
      ::umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) < 0) {
    return os_error(cat("unmount ", path.view()), errno);
  }
  return {};
}

Result<std::string> mounted_filesystem(CStr path) {
  const uint64_t number = TRY(mount_id(path));
  std::string table = TRY(read_file(kCwd, "/proc/self/mountinfo", size_t{64} << 20));
  const std::string id = cat(number, " ");
  for (std::string_view line : split(table, '\n')) {
    if (!line.starts_with(id)) continue;
    // "ID PARENT DEVICE ROOT TARGET OPTIONS TAGS - TYPE SOURCE OPTIONS" (proc(5))
    const size_t separator = line.find(" - ");
    if (separator == std::string_view::npos) break;
    line.remove_prefix(separator + 3);
    return std::string(line.substr(0, line.find(' ')));
  }
  return refuse(cat("the mount of ", path.view(), " is not in /proc/self/mountinfo"));
}

}  // namespace ocirt::sys
