#include "src/sys/namespace.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/ioctl.h>

#include <cerrno>

#include "src/base/text.h"
#include "src/sys/file.h"

namespace ocirt::sys {
namespace {

std::string_view kind_of(int flag) {
  switch (flag) {
    case CLONE_NEWCGROUP:
      return "cgroup";
    case CLONE_NEWIPC:
      return "ipc";
    case CLONE_NEWNET:
      return "network";
    case CLONE_NEWNS:
      return "mount";
    case CLONE_NEWPID:
      return "pid";
    case CLONE_NEWUSER:
      return "user";
    case CLONE_NEWUTS:
      return "uts";
    default:
      return "time";
  }
}

}  // namespace

Result<UniqueFd> open_namespace(const std::string& path, uint64_t flag) {
  Result<UniqueFd> opened = open(kCwd, path, O_RDONLY | O_NOCTTY | O_NONBLOCK);
  if (!opened && opened.error().code == ENOENT) {
    return std::unexpected(Error{ENOENT, cat("there is no namespace at ", path)});
  }
  UniqueFd fd = TRY(std::move(opened));
  int kind = ::ioctl(fd.raw(), NS_GET_NSTYPE);
  if (kind < 0) return std::unexpected(Error{EINVAL, cat(path, " is no namespace")});
  if (static_cast<uint64_t>(kind) != flag) {
    return std::unexpected(Error{EINVAL, cat(path, " is a ", kind_of(kind), " namespace, not a ",
                                             kind_of(static_cast<int>(flag)), " namespace")});
  }
  return fd;
}

bool is_own_namespace(const std::string& path, uint64_t flag) {
  const char* own = "/proc/self/ns/net";
  switch (flag) {
    case CLONE_NEWTIME:
      own = "/proc/self/ns/time";
      break;
    case CLONE_NEWCGROUP:
      own = "/proc/self/ns/cgroup";
      break;
    case CLONE_NEWIPC:
      own = "/proc/self/ns/ipc";
      break;
    case CLONE_NEWNS:
      own = "/proc/self/ns/mnt";
      break;
    case CLONE_NEWPID:
      own = "/proc/self/ns/pid";
      break;
    case CLONE_NEWUSER:
      own = "/proc/self/ns/user";
      break;
    case CLONE_NEWUTS:
      own = "/proc/self/ns/uts";
      break;
    default:
      break;
  }
  Result<struct stat> ours = stat(kCwd, own);
  Result<struct stat> named = stat(kCwd, path);
  return ours && named && ours->st_dev == named->st_dev && ours->st_ino == named->st_ino;
}

Result<UniqueFd> owner_of(Fd ns) {
  UniqueFd owner(::ioctl(ns.raw(), NS_GET_USERNS));
  if (!owner.valid()) return os_error("the user namespace of a namespace", errno);
  return owner;
}

bool is_owned_by(Fd ns, Fd user) {
  const Result<UniqueFd> owner = owner_of(ns);
  if (!owner) return false;
  Result<struct stat> one = stat_fd(*owner, "namespace");
  Result<struct stat> other = stat_fd(user, "namespace");
  return one && other && one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

}  // namespace ocirt::sys
