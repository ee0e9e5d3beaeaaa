// A cgroup v2 subtree in the hands of a container's user 0, so that systemd and the like can make
// cgroups of their own below. Only what the kernel says may be given away is
// (Documentation/admin-guide/cgroup-v2.rst, "Delegation"): the container's own limits are not.
#include <cerrno>

#include "src/base/text.h"
#include "src/linux/cgroup/cgroup.h"
#include "src/sys/file.h"

namespace ocirt::cgroup {

Result<> delegate(const Location& location, uint32_t uid) {
  if (location.layout != Layout::unified) return {};
  for (const Directory& directory : location.directories) {
    for (const char* file : {"", "/cgroup.procs", "/cgroup.subtree_control", "/cgroup.threads"}) {
      TRY(sys::give_to(cat(directory.path, file), uid));
    }
  }
  return {};
}

}  // namespace ocirt::cgroup
