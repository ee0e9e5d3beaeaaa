// Making, removing and listing directories and their entries (file.h).
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "src/base/text.h"
#include "src/sys/file.h"

namespace ocirt::sys {

Result<> mkdir(Fd dir, CStr path, mode_t mode) {
  if (::mkdirat(dir.raw(), path.c_str(), mode) < 0)
    return os_error(cat("mkdir ", path.view()), errno);
  return {};
}

Result<> mkdir_parents(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) == 0) return {};
  if (errno == EEXIST) {
    if (is_directory(kCwd, path)) return {};
    return os_error(cat("mkdir ", path), ENOTDIR);
  }
  if (errno != ENOENT) return os_error(cat("mkdir ", path), errno);
  size_t slash = path.find_last_of('/');
  if (slash == std::string::npos || slash == 0) return os_error(cat("mkdir ", path), ENOENT);
  TRY(mkdir_parents(path.substr(0, slash), mode));
  if (::mkdir(path.c_str(), mode) < 0 && errno != EEXIST)
    return os_error(cat("mkdir ", path), errno);
  return {};
}

Result<> rmdir(Fd dir, CStr path) {
  if (::unlinkat(dir.raw(), path.c_str(), AT_REMOVEDIR) < 0) {
    return os_error(cat("rmdir ", path.view()), errno);
  }
  return {};
}

Result<> unlink(Fd dir, CStr path) {
  if (::unlinkat(dir.raw(), path.c_str(), 0) < 0)
    return os_error(cat("unlink ", path.view()), errno);
  return {};
}

Result<> rename(Fd dir, CStr from, CStr to) {
  if (::renameat(dir.raw(), from.c_str(), dir.raw(), to.c_str()) < 0) {
    return os_error(cat("rename ", from.view(), " to ", to.view()), errno);
  }
  return {};
}

Result<> sync_filesystem(CStr directory) {
  const UniqueFd fd = TRY(open(kCwd, directory, O_RDONLY | O_DIRECTORY));
  if (::syncfs(fd.raw()) < 0) return os_error(cat("syncfs ", directory.view()), errno);
  return {};
}

Result<std::vector<std::string>> list_directory(Fd dir, CStr path) {
  UniqueFd fd = TRY(open(dir, path, O_RDONLY | O_DIRECTORY));
  DIR* stream = ::fdopendir(fd.raw());
  if (stream == nullptr) return os_error(cat("open directory ", path.view()), errno);
  (void)fd.release();  // closedir() closes it
  std::vector<std::string> names;
  errno = 0;
  while (dirent* entry = ::readdir(stream)) {
    std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  int code = errno;
  ::closedir(stream);
  if (code != 0) return os_error(cat("read directory ", path.view()), code);
  return names;
}

}  // namespace ocirt::sys
