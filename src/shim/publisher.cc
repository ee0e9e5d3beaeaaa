#include "src/shim/publisher.h"

#include <algorithm>
#include <utility>

#include "src/shim/process.h"
#include "src/sys/socket.h"
#include "src/wire/service.h"

namespace ocirt::shim {
namespace {

// A daemon that is away for days must not make the shim grow: some 200 bytes each.
constexpr size_t kMostQueued = 2048;
constexpr sys::Nanoseconds kFirstPause = std::chrono::milliseconds(100);
constexpr sys::Nanoseconds kLongestPause = std::chrono::seconds(1);

std::string forward_request(std::string_view topic, std::string_view name_space,
                            const wire::AnyValue& event) {
  wire::Timestamp room;
  const std::string topic_text(topic), space_text(name_space);
  wire::Any any = event.lend();
  auto envelope = wire::blank<wire::Envelope>();
  envelope.timestamp = to_timestamp(wall_time(), room);
  envelope.namespace_ = wire::lend(space_text);
  envelope.topic = wire::lend(topic_text);
  envelope.event = &any;
  auto request = wire::blank<wire::ForwardRequest>();
  request.envelope = &envelope;
  return wire::pack(request);
}

}  // namespace

Publisher::Publisher(sys::EventLoop& loop, std::string address, std::string name_space)
    : loop_(loop),
      address_(std::move(address)),
      name_space_(std::move(name_space)),
      retry_(loop, Callback<>::to<&Publisher::send>(*this)) {
  if (address_.starts_with("unix://")) address_.erase(0, 7);
}

void Publisher::publish(std::string_view topic, const wire::AnyValue& event) {
  if (address_.empty()) return;
  if (queue_.size() >= kMostQueued) {
    // The oldest, unless a daemon may know of it already.
    queue_.erase(queue_.begin() + (under_way_ ? 1 : 0));
    ++dropped_;
  }
  queue_.push_back(forward_request(topic, name_space_, event));
  send();
}

bool Publisher::connect() {
  if (client_) return true;
  Result<UniqueFd> socket = sys::connect_stream_at_once(address_);
  if (!socket) return false;
  Result<std::unique_ptr<wire::LoopClient>> client =
      wire::LoopClient::open(loop_, std::move(*socket));
  if (!client) return false;
  client_ = std::move(*client);
  client_->on_end(Callback<>::to<&Publisher::ended>(*this));
  return true;
}

void Publisher::send() {
  if (under_way_ || queue_.empty() || retry_.is_running()) return;
  wire::Outgoing outgoing{wire::kEventsV1, "Forward", queue_.front(), name_space_};
  Result<uint32_t> sent = std::unexpected(Error{});
  if (connect()) {
    sent = client_->call(outgoing, sys::Nanoseconds(0),
                         wire::LoopClient::Done::to<&Publisher::answered>(*this));
  }
  if (sent) {
    under_way_ = true;
    return;
  }
  pause_ = std::min(std::max(pause_ * 2, kFirstPause), kLongestPause);
  retry_.start(pause_);
}

void Publisher::answered(uint32_t, Result<wire::Answer>& answer) {
  under_way_ = false;
  if (!answer) return;  // the connection has ended, which is told as well
  // A daemon that refuses an event would refuse it again.
  if (answer->code != wire::Code::kOk) ++dropped_;
  queue_.pop_front();
  pause_ = {};
  if (!queue_.empty()) return send();
  if (idle_) idle_();
}

// Nothing is held open towards a daemon that has gone, and nothing is tried without need.
void Publisher::ended() {
  under_way_ = false;
  client_.reset();
  send();
}

}  // namespace ocirt::shim
