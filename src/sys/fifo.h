// Pipes, fifos and terminals as an event loop wants them: nothing here waits (sockets: stream.h).
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/sys/cstr.h"

namespace ocirt::sys {

struct Pipe {
  UniqueFd from, to;
};
Result<Pipe> make_pipe();  // the end to read from does not wait

// mkfifo(2); one that is there already is no error.
Result<> make_fifo(CStr path, mode_t mode);

// Writes what there is room for; 0: there is none now. Never raises SIGPIPE while that is blocked.
Result<size_t> write_some(Fd fd, std::string_view bytes);
// One line of several pieces by one call (writev(2)), for files.
Result<> write_pieces(Fd fd, std::string_view name, std::span<const std::string_view> pieces);
// Takes away what a file has behind its first `size` bytes: of a write of which only a part had
// room.
Result<> cut_file(Fd file, std::string_view name, uint64_t size);

// O_NONBLOCK on or off, for the description behind `fd`.
Result<> set_waiting(Fd fd, bool waits);

// Gives a terminal its size.
Result<> set_window_size(Fd terminal, uint16_t columns, uint16_t rows);

// What was sent over a stream or datagram socket with a descriptor; invalid when there is none now.
UniqueFd receive_descriptor(Fd socket);

// flock(2), exclusive, at once: false when somebody else has it.
Result<bool> try_lock(Fd fd, std::string_view name);

}  // namespace ocirt::sys
