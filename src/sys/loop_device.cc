#include "src/sys/loop_device.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>

#include "src/base/text.h"
#include "src/sys/file.h"

namespace ocirt::sys {

Result<LoopDevice> attach_loop_device(CStr file, bool read_only) {
  const int access = read_only ? O_RDONLY : O_RDWR;
  const UniqueFd backing = TRY(open(kCwd, file, access));
  const UniqueFd control = TRY(open(kCwd, "/dev/loop-control", O_RDWR));
  // Somebody else may take the number that we were told.
  for (int more = 64;; --more) {
    const int number = ::ioctl(control.raw(), LOOP_CTL_GET_FREE);
    if (number < 0) return os_error("find a free loop device", errno);
    LoopDevice device;
    device.path = cat("/dev/loop", number);
    device.fd = TRY(open(kCwd, device.path, access));
    loop_config config{};
    config.fd = static_cast<uint32_t>(backing.raw());
    config.info.lo_flags = static_cast<uint32_t>(LO_FLAGS_AUTOCLEAR) |
                           (read_only ? static_cast<uint32_t>(LO_FLAGS_READ_ONLY) : 0);
    const std::string_view name = file.view().substr(0, LO_NAME_SIZE - 1);
    std::memcpy(config.info.lo_file_name, name.data(), name.size());
    if (::ioctl(device.fd.raw(), LOOP_CONFIGURE, &config) == 0) return device;
    if (errno != EBUSY || more == 0)
      return os_error(cat("attach ", file.view(), " to ", device.path), errno);
  }
}

}  // namespace ocirt::sys
