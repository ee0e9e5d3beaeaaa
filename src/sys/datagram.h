// Datagram sockets as service managers use them (sd_notify(3)): one that strangers send to, and one
// that says something to a manager which may not listen at the moment. Nothing here waits longer
// than it is told to.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/sys/cstr.h"

namespace ocirt::sys {

// A socket of that name in the directory, to which everybody may send who reaches it.
Result<UniqueFd> receive_datagrams_at(Fd dir, CStr name);

// The next message; nothing when none waits, and none of more than `limit` bytes. Descriptors that
// came with it are closed, without ever having been ours.
Result<std::optional<std::string>> take_datagram(Fd socket, size_t limit);

// Connects to a path, or to an abstract name that is written with "@" in front.
Result<UniqueFd> connect_datagrams(std::string_view address);

// Sends as soon as there is room, at most `timeout_ms` milliseconds from now; code EAGAIN when
// there was none.
Result<> send_datagram_within(Fd socket, std::string_view bytes, int timeout_ms, Fd attached = {});

}  // namespace ocirt::sys
