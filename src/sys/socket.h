// Unix sockets that keep message boundaries and carry descriptors: the channel between ocirt and a
// container's init, the start gate, console and pidfd sockets.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/sys/cstr.h"

namespace ocirt::sys {

// A connected pair of SOCK_SEQPACKET sockets.
Result<std::pair<UniqueFd, UniqueFd>> socket_pair();

// A SOCK_SEQPACKET socket that listens under `name` in the directory. The directory's descriptor
// is used, so the length of its path does not matter (sun_path holds 108 bytes).
Result<UniqueFd> listen_at(Fd dir, CStr name);

// Connects to what listen_at() made. Code ECONNREFUSED when nobody listens any more, ENOENT when
// the name is gone.
Result<UniqueFd> connect_at(Fd dir, CStr name);

// Whether somebody listens under the name. Never waits: a backlog that is full answers too.
Result<bool> is_listening(Fd dir, CStr name);

// Connects a SOCK_STREAM socket to a path of any length (a shim's), within 10 seconds.
Result<UniqueFd> connect_stream(CStr path);
// The same for an event loop: the socket does not wait, nor does this; code EAGAIN when the server
// has no room for one more caller.
Result<UniqueFd> connect_stream_at_once(CStr path);
// The same for a server that may be stuck: connecting takes at most `limit_ms` milliseconds (code
// ETIMEDOUT, with what to do), and so does each step of a send (code EAGAIN). A signal that
// interrupts begins the time anew.
Result<UniqueFd> connect_stream_within(CStr path, int limit_ms);

// Sends one datagram to a socket of the system (syslog's, the journal's). A daemon that is stuck
// and has its queue full is given up after 2 seconds (code EAGAIN).
Result<> send_datagram(CStr path, std::string_view bytes);

struct Message {
  std::string bytes;  // empty when the other side has closed
  std::vector<UniqueFd> fds;
};

// Sends one message, with a descriptor if `attached` is valid. Never raises SIGPIPE; code EPIPE
// instead.
Result<> send_message(Fd socket, std::string_view bytes, Fd attached = {});

// Receives one after the other until there are `count` or the other side has closed, in one call.
// The last one is empty then.
Result<std::vector<Message>> receive_messages(Fd socket, size_t count, size_t limit = 65536);

// Receives one message of at most `limit` bytes with at most 4 descriptors.
Result<Message> receive_message(Fd socket, size_t limit = 65536);

}  // namespace ocirt::sys
