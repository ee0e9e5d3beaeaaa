// A ttrpc client in an event loop: several calls at once, and nothing waits. For who publishes
// events, and for who follows several long calls.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "src/base/callback.h"
#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/sys/event_loop.h"
#include "src/wire/envelope.h"
#include "src/wire/frame.h"
#include "src/wire/outbox.h"

namespace ocirt::wire {

class LoopClient {
 public:
  // The number of the call, and what came of it: an error when its time is over (code ETIMEDOUT) or
  // the connection has ended (code ECONNRESET). Never called from within call().
  using Done = Callback<uint32_t, Result<Answer>&>;

  // Goes on with a connected stream socket (sys::connect_stream).
  static Result<std::unique_ptr<LoopClient>> open(sys::EventLoop& loop, UniqueFd socket);
  LoopClient(const LoopClient&) = delete;
  LoopClient& operator=(const LoopClient&) = delete;
  // Calls that are under way are forgotten, without a word to those who made them.
  ~LoopClient();

  // Makes a call and returns its number; `done` is called once. A timeout of 0 is none. Refuses,
  // without calling `done`, a request that is too long, on a connection that has ended (code
  // ECONNRESET), and while more than 4 MiB wait to be written (code EAGAIN).
  Result<uint32_t> call(const Outgoing& outgoing, sys::Nanoseconds timeout, Done done);
  // Forgets a call; its answer is passed over.
  void cancel(uint32_t number);

  // After the calls that were under way have been told. The client may be destroyed in there.
  void on_end(Callback<> call) { on_end_ = call; }
  bool has_ended() const { return ended_; }
  size_t calls_under_way() const { return calls_.size(); }

 private:
  struct Under {
    Under(LoopClient& client, uint32_t n, Done call)
        : owner(client),
          number(n),
          done(call),
          deadline(client.loop_, Callback<>::to<&Under::end_in_time>(*this)) {}
    void end_in_time();
    LoopClient& owner;
    uint32_t number;
    Done done;
    sys::Timer deadline;
  };

  LoopClient(sys::EventLoop& loop, UniqueFd socket) : loop_(loop), socket_(std::move(socket)) {}
  void on_ready(unsigned ready);
  bool read();
  void finish(uint32_t number, Result<Answer> answer);
  void end();
  void update_interest();

  sys::EventLoop& loop_;
  UniqueFd socket_;
  sys::Watch watch_;
  FrameReader reader_;
  Outbox outbox_;
  std::vector<std::unique_ptr<Under>> calls_;
  Callback<> on_end_;
  bool* destroyed_ = nullptr;  // set while callbacks run, which may destroy this
  uint32_t next_stream_ = 1;
  unsigned interest_ = sys::kReadable;
  bool broken_ = false;  // the loop will come and end it
  bool ended_ = false;
};

}  // namespace ocirt::wire
