// Loop devices (loop(4)): a file as a block device, for file systems in images (erofs, ext4).
#pragma once

#include <string>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/sys/cstr.h"

namespace ocirt::sys {

struct LoopDevice {
  std::string path;  // "/dev/loop3"
  UniqueFd fd;
};

// Takes a free loop device for a file. It lets go of the file when nobody has it open or mounted
// any more (LO_FLAGS_AUTOCLEAR), so nothing is left to be undone. Needs LOOP_CONFIGURE, Linux 5.8.
Result<LoopDevice> attach_loop_device(CStr file, bool read_only);

}  // namespace ocirt::sys
