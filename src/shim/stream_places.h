// Where a client wants the streams of a process, out of the texts in its request (the same as
// containerd's shims take): a path or "fifo://PATH", "file://PATH", "binary://PATH?WORD=VALUE..."
// for a program that reads them, "ttrpc+unix://SOCKET?streaming_id=ID" for a client that calls for
// them (socket_streams.h), and nothing for /dev/null. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"

namespace ocirt::shim {

struct StreamPaths {
  bool terminal = false;
  std::string in = {}, out = {}, err = {};
};

struct StreamPlaces {
  enum class Kind : uint8_t { kFifos, kFile, kProgram, kSocket };
  Kind kind = Kind::kFifos;
  std::string in, out, err;          // paths, or ids of streams; empty: /dev/null
  std::string socket;                // kSocket: the one over which they lead
  std::vector<std::string> program;  // kProgram: its path and arguments
  bool must_answer = false;          // it has to say that it is ready ("binary-v2")
};

// stdout decides for both outputs: a file and a program get them both. Of streams over a socket
// either all are or none. Code ENOSYS for what is not supported, EINVAL for what is wrong.
Result<StreamPlaces> read_places(const StreamPaths& paths);

}  // namespace ocirt::shim
