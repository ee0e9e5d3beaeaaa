#include "src/sys/scheduling.h"

#include <linux/ioprio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace ocirt::sys {

Result<> set_scheduler(pid_t pid, const void* attributes) {
  if (::syscall(SYS_sched_setattr, pid, attributes, 0) != 0)
    return os_error("sched_setattr", errno);
  return {};
}

Result<> set_io_priority(pid_t pid, int value) {
  if (::syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, pid, value) != 0)
    return os_error("ioprio_set", errno);
  return {};
}

Result<> set_affinity(pid_t pid, std::span<const unsigned long> mask) {
  if (::syscall(SYS_sched_setaffinity, pid, mask.size_bytes(), mask.data()) != 0)
    return os_error("sched_setaffinity", errno);
  return {};
}

Result<std::vector<unsigned long>> affinity(pid_t pid) {
  // As many as the kernel can be built for; it says how many bytes it has written.
  std::vector<unsigned long> mask(8192 / (8 * sizeof(unsigned long)));
  const long bytes =
      ::syscall(SYS_sched_getaffinity, pid, mask.size() * sizeof(unsigned long), mask.data());
  if (bytes < 0) return os_error("sched_getaffinity", errno);
  mask.resize(static_cast<size_t>(bytes) / sizeof(unsigned long));
  return mask;
}

}  // namespace ocirt::sys
