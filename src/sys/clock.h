// What time it is, asked by the system call.
//
// A process that asks once or twice pays 8 us for the vDSO: musl looks its symbols up, and two
// pages are touched for the first time, where the call takes 0.1. Who asks all the time does so
// through the vDSO (the shim's event loop).
#pragma once

#include <cstdint>
#include <ctime>

namespace ocirt::sys {

// As clock_gettime(2): CLOCK_MONOTONIC, CLOCK_REALTIME and so on.
timespec clock_now(clockid_t clock);

// Milliseconds of CLOCK_MONOTONIC, for deadlines.
int64_t monotonic_ms();

}  // namespace ocirt::sys
