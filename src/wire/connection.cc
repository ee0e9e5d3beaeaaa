#include "src/wire/connection.h"

#include <algorithm>

#include "src/base/text.h"
#include "src/wire/envelope.h"

namespace ocirt::wire {
namespace {

// One read of this size per turn, so that no client keeps the others waiting.
constexpr size_t kReadSize = 16384;
// A client that does not read its answers is not asked for more calls from here on ...
constexpr size_t kPatience = 1 << 20;
// ... and is given up here: answers to calls that it has made before may still come.
constexpr size_t kMostUnsent = 16 << 20;
// Long polls: one for each process of each container that a client follows.
constexpr size_t kMostWaiting = 1024;

}  // namespace

Connection::Connection(Server& server, UniqueFd socket, sys::Peer peer)
    : server_(server), socket_(std::move(socket)), peer_(peer) {}

Connection::~Connection() {
  sys::shut_down(socket_);  // a process that the caller has forked may have the socket as well
  broken_ = true;  // a callback that answers another call of this connection speaks to nobody
  while (!waiting_.empty()) {
    detail::Waiting& call = *waiting_.front();
    waiting_.erase(waiting_.begin());
    call.connection = nullptr;
    call.deadline.cancel();
    if (call.gone) call.gone();
  }
}

Result<> Connection::watch() {
  watch_ = TRY(server_.loop_.watch(socket_, interest_,
                                   Callback<unsigned>::to<&Connection::on_ready>(*this)));
  return {};
}

void Connection::on_ready(unsigned ready) {
  if ((ready & sys::kWritable) != 0) write();
  if ((ready & sys::kReadable) != 0) {
    read();
  } else if ((ready & sys::kGone) != 0) {
    broken_ = true;
  }
  if (broken_) {
    server_.drop(*this);  // this is gone
    return;
  }
  update_interest();
}

void Connection::read() {
  char buffer[kReadSize];
  Result<std::optional<size_t>> got = sys::read_some(socket_, buffer);
  if (!got || got->value_or(1) == 0) {
    broken_ = true;  // the end, also in the middle of a frame
    return;
  }
  if (!*got) return;
  std::string_view bytes(buffer, **got);
  while (!broken_) {
    const std::optional<Frame> frame = reader_.next(bytes);
    if (!frame) return;
    take(*frame);
  }
}

void Connection::take(const Frame& frame) {
  const uint32_t stream = frame.header.stream;
  auto refuse_it = [&](Code code, std::string_view text) {
    send(refusal_frame(stream, code, text));
  };
  if (frame.is_oversized) {
    return refuse_it(Code::kResourceExhausted,
                     cat("a message of ", frame.header.length, " bytes is longer than the ",
                         kMaxPayload, " that ttrpc can carry"));
  }
  if (stream % 2 != 1) {
    return refuse_it(Code::kInvalidArgument, cat("stream ", stream, ": a client's are odd"));
  }
  if (frame.header.type == FrameType::kData) return take_message(frame);
  // Types that do not exist yet are passed over, as the protocol demands.
  if (frame.header.type != FrameType::kRequest) return;
  if (stream <= last_stream_) {
    return refuse_it(Code::kInvalidArgument,
                     cat("stream ", stream, ": not above the last one, ", last_stream_));
  }
  last_stream_ = stream;
  if (waiting_.size() >= kMostWaiting) {
    return refuse_it(Code::kResourceExhausted,
                     cat(kMostWaiting, " calls of this connection wait already"));
  }
  take_request(frame);
}

void Connection::take_request(const Frame& frame) {
  const uint32_t stream = frame.header.stream;
  Result<Owned<ttrpc::Request>> request = parse<ttrpc::Request>(frame.payload);
  if (!request) {
    return send(refusal_frame(stream, Code::kInvalidArgument, request.error().text));
  }
  const ttrpc::Request& got = **request;
  if (got.timeout_nano < 0) {
    return send(refusal_frame(stream, Code::kDeadlineExceeded, "the deadline is over already"));
  }
  auto waiting = std::make_unique<detail::Waiting>(server_.loop_, *this, stream);
  if (got.timeout_nano > 0) waiting->deadline.start(sys::Nanoseconds(got.timeout_nano));
  waiting_.push_back(waiting.get());
  Call call{.service = got.service,
            .method = got.method,
            .payload = view(got.payload),
            .request = got,
            .peer = peer_,
            .is_stream = (frame.header.flags & kRemoteOpen) != 0,
            .reply = Reply(std::move(waiting))};
  server_.handler_(call);
}

// The function of the call may answer it, after which it is not called again.
void Connection::take_message(const Frame& frame) {
  const uint32_t stream = frame.header.stream;
  auto find = [&] {
    auto found = std::ranges::find(waiting_, stream, &detail::Waiting::stream);
    return found == waiting_.end() || !(*found)->message ? nullptr : *found;
  };
  const uint8_t flags = frame.header.flags;
  detail::Waiting* call = find();
  if (call == nullptr) {
    return send(refusal_frame(stream, Code::kInvalidArgument,
                              cat("stream ", stream, ": no call that takes messages")));
  }
  if ((flags & kNoData) == 0) call->message(frame.payload);
  if ((flags & kRemoteClosed) == 0) return;
  call = find();
  if (call != nullptr) std::exchange(call->message, {})(std::nullopt);
}

void Connection::send(std::string frame) {
  if (broken_) return;
  if (!outbox_.send(socket_, std::move(frame)) || outbox_.size() > kMostUnsent) return give_up();
  update_interest();
}

void Connection::write() {
  if (!broken_ && !outbox_.write(socket_)) give_up();
}

void Connection::give_up() {
  broken_ = true;
  sys::shut_down(socket_);
}

void Connection::update_interest() {
  const unsigned wanted =
      (outbox_.size() < kPatience ? sys::kReadable : 0u) | (outbox_.empty() ? 0u : sys::kWritable);
  if (wanted == interest_ || broken_) return;
  interest_ = wanted;
  if (!watch_.change(wanted)) give_up();
}

void Connection::forget(const detail::Waiting& waiting) { std::erase(waiting_, &waiting); }

}  // namespace ocirt::wire
