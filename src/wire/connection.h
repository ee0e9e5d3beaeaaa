// One client of the server. Private to src/wire.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/base/fd.h"
#include "src/sys/event_loop.h"
#include "src/sys/stream.h"
#include "src/wire/frame.h"
#include "src/wire/outbox.h"
#include "src/wire/server.h"

namespace ocirt::wire {

class Connection {
 public:
  Connection(Server& server, UniqueFd socket, sys::Peer peer);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  // Tells those who owe an answer that nobody waits for it.
  ~Connection();

  Result<> watch();
  // Sends a frame, or keeps it until there is room.
  void send(std::string frame);
  // The call is not waiting any more.
  void forget(const detail::Waiting& waiting);
  size_t unsent() const { return outbox_.size(); }
  // Writes what there is room for.
  void write();
  bool is_broken() const { return broken_; }

 private:
  void on_ready(unsigned ready);
  void read();
  void take(const Frame& frame);
  void take_request(const Frame& frame);
  void take_message(const Frame& frame);
  // Nothing is read or written from here on; the loop comes back to end it.
  void give_up();
  void update_interest();

  Server& server_;
  UniqueFd socket_;
  sys::Watch watch_;
  sys::Peer peer_;
  FrameReader reader_;
  Outbox outbox_;
  std::vector<detail::Waiting*> waiting_;
  uint32_t last_stream_ = 0;
  unsigned interest_ = sys::kReadable;
  bool broken_ = false;
};

}  // namespace ocirt::wire
