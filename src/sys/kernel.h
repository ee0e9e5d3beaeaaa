// Which kernel runs.
#pragma once

#include <cstdint>

namespace ocirt::sys {

// As LINUX_VERSION_CODE has it: 7.1.2 is 0x070102. From a note in the vDSO, by which the kernel
// tells every process, so that no system call is made. 0 where there is no such note.
uint32_t kernel_version();

}  // namespace ocirt::sys
