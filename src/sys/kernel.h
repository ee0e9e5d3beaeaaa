// Which kernel runs, and how much it has to look after.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ocirt::sys {

// As LINUX_VERSION_CODE has it: 7.1.2 is 0x070102. Of what uname(2) says, which may be an older one
// than runs (setarch --uname-2.6). 0 when that is no version. The vDSO has a note with the number,
// but to touch its page takes ten times as long as the call.
uint32_t kernel_version();

// How many threads there are on the host (sysinfo(2)); the largest number when that is not told.
uint32_t count_threads();

// Whether our mount namespace has more than this many mounts (at most 256) below our root; true
// where the kernel cannot say so at once (listmount(2), Linux 6.8).
bool has_more_mounts_than(size_t few);

}  // namespace ocirt::sys
