#include "src/sys/filesystem.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>

#include "src/base/text.h"

namespace ocirt::sys {
namespace {

// What the file system says of the last call, " (tmpfs: Unknown parameter 'x')", or nothing.
std::string reason_of(Fd context) {
  char message[400];
  const ssize_t size = ::read(context.raw(), message, sizeof message);
  std::string_view text(message, size > 2 ? static_cast<size_t>(size) : 0);
  if (text.empty()) return {};
  text.remove_prefix(2);  // "e "
  if (text.ends_with('\n')) text.remove_suffix(1);
  return cat(" (", text, ")");
}

int set_option(Fd context, const std::string& option) {
  const size_t equals = option.find('=');
  if (equals == std::string::npos || equals == 0) {
    return ::fsconfig(context.raw(), FSCONFIG_SET_FLAG, option.c_str(), nullptr, 0);
  }
  return ::fsconfig(context.raw(), FSCONFIG_SET_STRING, option.substr(0, equals).c_str(),
                    option.c_str() + equals + 1, 0);
}

}  // namespace

Result<UniqueFd> make_filesystem(CStr type, CStr source, std::span<const std::string> options) {
  UniqueFd context(::fsopen(type.c_str(), FSOPEN_CLOEXEC));
  if (!context.valid() && errno == ENODEV) {
    return refuse(cat("this kernel has no file system ", quoted(type.view())));
  }
  if (!context.valid()) return os_error(cat("open ", type.view()), errno);
  (void)::fsconfig(context.raw(), FSCONFIG_SET_STRING, "source", source.c_str(), 0);
  for (const std::string& option : options) {
    if (set_option(context, option) == 0) continue;
    return refuse(
        cat(type.view(), " does not take the option ", quoted(option), reason_of(context)));
  }
  if (::fsconfig(context.raw(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0) {
    const int code = errno;
    return os_error(cat("make ", type.view(), reason_of(context)), code);
  }
  UniqueFd made(::fsmount(context.raw(), FSMOUNT_CLOEXEC, 0));
  if (!made.valid()) return os_error(cat("mount ", type.view()), errno);
  return made;
}

Result<> make_device(Fd directory, CStr name, uint32_t mode, uint32_t major, uint32_t minor,
                     uint32_t uid, uint32_t gid) {
  const int dir = directory.raw();
  if (::mknodat(dir, name.c_str(), mode, makedev(major, minor)) < 0 ||
      ::fchownat(dir, name.c_str(), uid, gid, 0) < 0 ||
      ::fchmodat(dir, name.c_str(), mode & 07777, 0) < 0) {
    return os_error(cat("make device ", major, ":", minor), errno);
  }
  return {};
}

}  // namespace ocirt::sys
