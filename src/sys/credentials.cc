#include "src/sys/credentials.h"

#include <linux/capability.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ocirt::sys {

uint64_t permitted_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (::syscall(SYS_capget, &header, data) < 0) return 0;
  return data[0].permitted | uint64_t{data[1].permitted} << 32;
}

bool has_ids(uint32_t uid, uint32_t gid) {
  return ::getauxval(AT_UID) == uid && ::getauxval(AT_EUID) == uid && ::getauxval(AT_GID) == gid &&
         ::getauxval(AT_EGID) == gid;
}

}  // namespace ocirt::sys
