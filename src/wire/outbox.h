// What a socket has no room for yet. Keeps memory only while there is something to keep.
#pragma once

#include <string>
#include <string_view>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace ocirt::wire {

class Outbox {
 public:
  size_t size() const { return bytes_.size() - begin_; }
  bool empty() const { return size() == 0; }

  // Writes the frame after what is here, as far as there is room, and keeps the rest. Code EPIPE
  // when nobody reads any more.
  Result<> send(Fd socket, std::string frame);
  // Writes as much of what is here as there is room for.
  Result<> write(Fd socket);

 private:
  std::string bytes_;
  size_t begin_ = 0;
};

}  // namespace ocirt::wire
