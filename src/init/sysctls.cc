// linux.sysctl: kernel parameters of the container's own namespaces (checked by ocirt). Written
// through the host's /proc, which shows every process its own namespaces' values, before the root
// is switched: a /proc that an image or another container could have prepared is never involved
// (CVE-2025-52881).
#include "src/init/init.h"
#include "src/init/mount_api.h"

namespace ocirt::init {

void write_sysctls(Init& init) {
  auto sysctls = init.list(init.plan.sysctls);
  if (sysctls.empty()) return;
  const char* top = *host_proc == '\0' ? "sys" : "/proc/sys";
  int base = must_open(init, top, O_PATH | O_DIRECTORY);
  for (const plan::Sysctl& sysctl : sysctls) {
    const char* path = init.text(sysctl.path);
    open_how how{};
    how.flags = O_WRONLY | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
    long fd = bare::openat2(base, path, how);
    if (fd == -ENOENT) fail(init, 0, "linux.sysctl: this kernel has no ", path);
    must(init, fd, "linux.sysctl: open ", path);
    must(init, bare::write(static_cast<int>(fd), init.text(sysctl.value), sysctl.value.size),
         "linux.sysctl: write \"", init.text(sysctl.value), "\" to ", path);
    bare::close(static_cast<int>(fd));
  }
  bare::close(base);
}

}  // namespace ocirt::init
