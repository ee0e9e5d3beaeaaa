// Stream sockets that never make their owner wait: what a server, and a client of several calls at
// once, read from and write to.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/sys/cstr.h"
#include "src/sys/event_loop.h"

namespace ocirt::sys {

// A connected pair of SOCK_STREAM sockets; neither waits.
Result<std::pair<UniqueFd, UniqueFd>> stream_pair();

// A SOCK_STREAM socket that listens under `name` in the directory, for our user only (mode 0600
// from its first moment: bind(2) in a directory that others may enter would else be a gap).
// Accepting does not wait. Code EADDRINUSE when the name is there already.
Result<UniqueFd> listen_stream_at(Fd dir, CStr name);

// The next connection, which does not wait either; nothing when there is none. Codes EMFILE,
// ENFILE, ENOBUFS and ENOMEM leave it in the queue.
Result<std::optional<UniqueFd>> accept(Fd listener);

// Who has connected (SO_PEERCRED).
struct Peer {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
};
Result<Peer> peer_of(Fd socket);

// Reads what is there: 0 bytes at the end (also after a reset), nothing when it would have to wait.
Result<std::optional<size_t>> read_some(Fd fd, std::span<char> buffer);
// Writes as much as there is room for, possibly 0 bytes. Never raises SIGPIPE; code EPIPE instead.
Result<size_t> send_some(Fd socket, std::string_view bytes);

// Waits until the descriptor is readable or writable (kReadable, kWritable) or has an error or its
// end to report, at most so long (negative: for ever). False when the time is over.
Result<bool> wait_until_ready(Fd fd, unsigned for_what, Nanoseconds longest);

// Ends both directions: whoever waits for the socket finds it at its end.
void shut_down(Fd socket);

}  // namespace ocirt::sys
