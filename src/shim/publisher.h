// Tells containerd what happens: its service Events takes one call for each event.
//
// Clients follow a container by its events alone, so their order is that in which they happened,
// and each arrives once: the next one is sent when the one before it was answered. While no daemon
// answers they wait here and go to the next one. An event whose answer did not come is sent again
// only after the connection has ended: the daemon that may have heard of it is gone, with everybody
// whom it may have told.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "src/base/callback.h"
#include "src/base/result.h"
#include "src/sys/event_loop.h"
#include "src/wire/any.h"
#include "src/wire/loop_client.h"

namespace ocirt::shim {

class Publisher {
 public:
  // `address`: of containerd's ttrpc socket. Empty (CRI-O has none): what happens is told nobody.
  Publisher(sys::EventLoop& loop, std::string address, std::string name_space);
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  void publish(std::string_view topic, const wire::AnyValue& event);

  // Called when the last event that waited has been answered.
  void on_idle(Callback<> call) { idle_ = call; }
  bool is_idle() const { return queue_.empty(); }
  size_t dropped() const { return dropped_; }

 private:
  void send();
  bool connect();
  void answered(uint32_t number, Result<wire::Answer>& answer);
  void ended();

  sys::EventLoop& loop_;
  std::string address_, name_space_;
  std::deque<std::string> queue_;  // requests of Forward; the first one may be under way
  std::unique_ptr<wire::LoopClient> client_;
  sys::Timer retry_;
  Callback<> idle_;
  sys::Nanoseconds pause_{};  // before the next attempt
  size_t dropped_ = 0;
  bool under_way_ = false;
};

}  // namespace ocirt::shim
