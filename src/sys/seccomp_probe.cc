#include "src/sys/seccomp_probe.h"

#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace ocirt::sys {

bool knows_seccomp_flags(unsigned flags) {
  // The flags are looked at before the filter, and there is no filter at address 0: EFAULT says
  // that the flags were good, EINVAL that they were not.
  return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, nullptr) < 0 && errno == EFAULT;
}

}  // namespace ocirt::sys
