#include "src/wire/outbox.h"

#include "src/sys/stream.h"

namespace ocirt::wire {

Result<> Outbox::send(Fd socket, std::string frame) {
  if (!empty()) {
    // What is written already makes room, so that the text does not move on for ever.
    if (begin_ > bytes_.size() / 2) bytes_.erase(0, std::exchange(begin_, 0));
    bytes_ += frame;
    return {};
  }
  bytes_ = std::move(frame);
  begin_ = 0;
  return write(socket);
}

Result<> Outbox::write(Fd socket) {
  while (!empty()) {
    const size_t sent = TRY(sys::send_some(socket, std::string_view(bytes_).substr(begin_)));
    if (sent == 0) return {};
    begin_ += sent;
  }
  std::string().swap(bytes_);
  begin_ = 0;
  return {};
}

}  // namespace ocirt::wire
