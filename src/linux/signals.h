// Signal names and numbers, as people and engines write them after `kill` (runtime.md, "Kill";
// signal(7)). Engines send "KILL", "SIGTERM", "9", and podman "37" (SIGRTMIN+3) to systemd.
#pragma once

#include <string_view>

#include "src/base/result.h"

namespace ocirt {

// SIGRTMIN as programs see it: glibc keeps the kernel's 32 and 33 for itself. It is part of the
// vocabulary ("SIGRTMIN+3" in an image means 37), hence a constant and no question to our own libc.
inline constexpr int kSignalRtMin = 34;
inline constexpr int kSignalRtMax = 64;

// The number of "9", "KILL", "SIGKILL", "sigkill", "RTMIN+3" or "SIGRTMAX-1"; 0 to 64, where 0 is
// the question of kill(2) whether there is anybody.
// Error: unknown signal "X", with the accepted forms.
Result<int> signal_number(std::string_view text);

}  // namespace ocirt
