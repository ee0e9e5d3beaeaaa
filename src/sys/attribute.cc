#include "src/sys/attribute.h"

#include <sys/xattr.h>

namespace ocirt::sys {

std::optional<std::string_view> read_attribute(Fd fd, CStr name, std::span<char> room) {
  const ssize_t size = ::fgetxattr(fd.raw(), name.c_str(), room.data(), room.size());
  if (size < 0) return std::nullopt;
  return std::string_view(room.data(), static_cast<size_t>(size));
}

bool write_attribute(Fd fd, CStr name, std::string_view value) {
  return ::fsetxattr(fd.raw(), name.c_str(), value.data(), value.size(), 0) == 0;
}

}  // namespace ocirt::sys
