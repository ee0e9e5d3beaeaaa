#include "src/sys/changes.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>

#include "src/base/text.h"

namespace ocirt::sys {

Result<Changes> Changes::open() {
  Changes changes;
  changes.fd_ = UniqueFd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!changes.fd_.valid()) return os_error("inotify_init1", errno);
  return changes;
}

Result<> Changes::watch_directory(CStr path) {
  constexpr uint32_t kWhat = IN_MODIFY | IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE |
                             IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
  if (::inotify_add_watch(fd_.raw(), path.c_str(), kWhat) < 0) {
    return os_error(cat("watch ", path.view()), errno);
  }
  return {};
}

void Changes::drain() {
  alignas(inotify_event) char buffer[4096];
  while (::read(fd_.raw(), buffer, sizeof buffer) > 0) {
  }
}

}  // namespace ocirt::sys
