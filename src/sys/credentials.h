// What this process may do.
#pragma once

#include <cstdint>

namespace ocirt::sys {

// Our permitted capabilities, bit n for capability n: more cannot be given to anybody. By capget(2)
// itself: libcap's start-up code alone makes ten system calls in every program that links it.
uint64_t permitted_capabilities();

// Whether all our user and group ids, real, effective and saved, are these: execve(2) made the
// saved ones equal to the effective ones, and the kernel has told us both without a call
// (getauxval(3)).
bool has_ids(uint32_t uid, uint32_t gid);

}  // namespace ocirt::sys
