#include "src/sys/mount_tree.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
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

Result<> set_mount_propagation(Fd tree, uint64_t propagation) {
  mount_attr attr{};
  attr.propagation = propagation;
  if (::syscall(SYS_mount_setattr, tree.raw(), "", AT_EMPTY_PATH | AT_RECURSIVE, &attr,
                sizeof attr) < 0) {
    return os_error("set the propagation of a mount", errno);
  }
  return {};
}

Result<UniqueFd> make_detached_tmpfs() {
  const UniqueFd context(static_cast<int>(::syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC)));
  if (!context.valid()) return os_error("open a tmpfs", errno);
  if (::syscall(SYS_fsconfig, context.raw(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0) {
    return os_error("make a tmpfs", errno);
  }
  const long mount = ::syscall(SYS_fsmount, context.raw(), FSMOUNT_CLOEXEC, 0);
  if (mount < 0) return os_error("mount a tmpfs", errno);
  return UniqueFd(static_cast<int>(mount));
}

Result<UniqueFd> make_detached_device(Fd directory, CStr name, const DeviceFile& device) {
  if (::mknodat(directory.raw(), name.c_str(), device.mode, makedev(device.major, device.minor)) <
      0) {
    return os_error("mknod", errno);
  }
  if (::fchownat(directory.raw(), name.c_str(), device.uid, device.gid, AT_SYMLINK_NOFOLLOW) < 0) {
    return os_error("chown", errno);
  }
  // The umask does not count.
  if (::fchmodat(directory.raw(), name.c_str(), device.mode & 07777, 0) < 0) {
    return os_error("chmod", errno);
  }
  const long fd = ::syscall(SYS_open_tree, directory.raw(), name.c_str(),
                            OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
  if (fd < 0) return os_error("copy the mount", errno);
  return UniqueFd(static_cast<int>(fd));
}

Result<std::string> mounted_filesystem(CStr path) {
  struct statx info{};
  if (::statx(AT_FDCWD, path.c_str(), 0, STATX_MNT_ID, &info) < 0) {
    return os_error(cat("statx ", path.view()), errno);
  }
  std::string table = TRY(read_file(kCwd, "/proc/self/mountinfo", size_t{64} << 20));
  const std::string id = cat(info.stx_mnt_id, " ");
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
