// Which kernel runs.
#pragma once

#include <cstdint>

namespace ocirt::sys {

// As LINUX_VERSION_CODE has it: 7.1.2 is 0x070102. Of what uname(2) says, which may be an older one
// than runs (setarch --uname-2.6). 0 when that is no version. The vDSO has a note with the number,
// but to touch its page takes ten times as long as the call.
uint32_t kernel_version();

}  // namespace ocirt::sys
