// The two ends that a process has of streams over the shim's socket (socket_streams.h): pipes, of
// which the process has one side and the shim the other, so that it waits for a slow client as on
// any pipe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/shim/socket_streams.h"
#include "src/sys/event_loop.h"

namespace ocirt::shim {

// What a process says.
class SocketOutput : public SocketStream {
 public:
  SocketOutput(sys::EventLoop& loop, SocketStreams& all, std::string id);

  // For the process, or whoever writes for it; a write waits for room.
  Result<UniqueFd> open();
  // Nothing is sent any more, and the caller hears the end.
  void finish();
  // It is not waited for another caller.
  void let_go() { let_go_ = true; }
  // Everything was sent up to the end of the pipe, or nobody will come for it.
  bool is_done() const { return !pipe_.valid() || (let_go_ && caller() == nullptr); }
  // Whether it waits for a caller, or for room at the one that is there.
  bool is_stuck() const { return !is_done() && (caller() == nullptr || caller()->window() == 0); }
  uint64_t moved() const { return moved_; }

 private:
  void caller_changed();
  void take(std::string_view bytes, bool& wanted);
  void on_readable(unsigned ready);

  sys::EventLoop& loop_;
  UniqueFd pipe_;
  sys::Watch watch_;
  uint64_t moved_ = 0;
  bool let_go_ = false;
};

// What it reads.
class SocketInput : public SocketStream {
 public:
  SocketInput(sys::EventLoop& loop, SocketStreams& all, std::string id);

  // For the process, or whoever reads for it; a read does not wait, unless that is changed.
  Result<UniqueFd> open();
  // CloseIO: the end, behind what has come. What the caller has sent before it said so may still be
  // on its way, since that was by another connection: its own end is awaited, for a while.
  void close();

 private:
  void caller_changed();
  void take(std::string_view bytes, bool& wanted);
  void on_room(unsigned ready);
  void write();
  void end();

  sys::EventLoop& loop_;
  UniqueFd pipe_;
  std::string unwritten_;
  size_t granted_ = 0;  // bytes that may still come
  sys::Watch watch_;
  sys::Timer late_;
  StreamCaller* known_ = nullptr;  // who was granted them
  bool closing_ = false;
};

}  // namespace ocirt::shim
