// TCP as a probe needs it: a connection to an address, with one limit of time for everything.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/sys/event_loop.h"

namespace ocirt::sys {

// Connects to an IPv4 or IPv6 address (no names: the C library's resolver cannot be linked
// statically). `end` is of monotonic_now(). Code ETIMEDOUT, ECONNREFUSED, ...
Result<UniqueFd> connect_tcp(const std::string& address, uint16_t port, Nanoseconds end);

// Waits until the socket has something to read, at most until `end`: else code ETIMEDOUT.
Result<> wait_readable(Fd socket, Nanoseconds end);

}  // namespace ocirt::sys
