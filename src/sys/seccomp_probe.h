// Asks the kernel what seccomp(2) can do.
#pragma once

namespace ocirt::sys {

// Whether SECCOMP_SET_MODE_FILTER knows these SECCOMP_FILTER_FLAG_* bits. Loads nothing.
bool knows_seccomp_flags(unsigned flags);

}  // namespace ocirt::sys
