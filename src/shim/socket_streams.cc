#include "src/shim/socket_streams.h"

#include <algorithm>
#include <ranges>
#include <utility>

#include "src/base/text.h"
#include "src/wire/service.h"

namespace ocirt::shim {
namespace {

constexpr size_t kMostWindow = 1 << 30;
// Calls that wait for a process which nobody has created yet.
constexpr size_t kMostCallers = 4096;

}  // namespace

// ---- a caller -----------------------------------------------------------------------------------

StreamCaller::StreamCaller(SocketStreams& all, wire::Reply reply)
    : all_(all), reply_(std::move(reply)) {
  reply_.on_message(
      Callback<std::optional<std::string_view>>::to<&StreamCaller::on_message>(*this));
  reply_.on_gone(Callback<>::to<&StreamCaller::leave>(*this));
}

void StreamCaller::send(std::string_view bytes) {
  window_ -= std::min(window_, bytes.size());
  auto data = wire::blank<wire::StreamData>();
  data.data = wire::lend_bytes(bytes);
  const wire::AnyValue any = wire::any_of(data);
  reply_.send_one(wire::pack(any.lend()));
}

void StreamCaller::grant(size_t bytes) {
  auto update = wire::blank<wire::WindowUpdate>();
  update.update = static_cast<int32_t>(bytes);
  const wire::AnyValue any = wire::any_of(update);
  reply_.send_one(wire::pack(any.lend()));
}

void StreamCaller::end() {
  reply_.end();
  leave();
}

void StreamCaller::fail(wire::Code code, std::string_view text) {
  reply_.fail(code, text);
  leave();
}

void StreamCaller::leave() {
  if (stream_ == nullptr) return;
  SocketStream& stream = *std::exchange(stream_, nullptr);
  stream.caller_ = nullptr;
  stream.changed_();
}

void StreamCaller::on_message(std::optional<std::string_view> payload) {
  if (!payload) {
    said_all_ = true;
    if (stream_ != nullptr) stream_->changed_();
    return;
  }
  Result<wire::Owned<wire::Any>> message = wire::parse<wire::Any>(*payload);
  if (!message) return fail(wire::Code::kInvalidArgument, message.error().text);
  take(**message);
}

void StreamCaller::take(const wire::Any& message) {
  auto refuse_it = [&](std::string_view text) {
    fail(wire::Code::kInvalidArgument, cat("stream ", quoted(id_), ": ", text));
  };
  if (id_.empty()) {
    Result<wire::Owned<wire::StreamInit>> init = wire::parse_any<wire::StreamInit>(&message);
    if (!init) return refuse_it(init.error().text);
    if ((*init)->id[0] == '\0') return refuse_it("the id is empty");
    id_ = (*init)->id;
    const wire::Any nothing = wire::blank<wire::Any>();
    reply_.send_one(wire::pack(nothing));
    return all_.called(*this);
  }
  if (wire::is_a(&message, wire::kTypeUrl<wire::WindowUpdate>)) {
    Result<wire::Owned<wire::WindowUpdate>> update = wire::parse_any<wire::WindowUpdate>(&message);
    if (!update || (*update)->update <= 0) return refuse_it("an update of the window that is none");
    window_ = std::min(window_ + static_cast<size_t>((*update)->update), kMostWindow);
    if (stream_ != nullptr) stream_->changed_();
    return;
  }
  Result<wire::Owned<wire::StreamData>> data = wire::parse_any<wire::StreamData>(&message);
  if (!data) return refuse_it(data.error().text);
  bool wanted = stream_ != nullptr;
  if (wanted) stream_->bytes_(wire::view((*data)->data), wanted);
  if (!wanted) refuse_it("there is no room for data");
}

// ---- a stream -----------------------------------------------------------------------------------

void SocketStream::be_found() {
  all_.streams_.push_back(this);
  // The last one that has called.
  for (const auto& caller : std::views::reverse(all_.callers_)) {
    if (caller->is_there() && caller->id() == id_) return SocketStreams::join(*this, *caller);
  }
}

SocketStream::~SocketStream() {
  std::erase(all_.streams_, this);
  if (caller_ == nullptr) return;
  caller_->stream_ = nullptr;
  caller_->end();
}

// ---- all of them --------------------------------------------------------------------------------

void SocketStreams::handle(wire::Call& call) {
  if (call.method != "Stream") {
    return call.reply.fail(wire::Code::kUnimplemented,
                           cat(call.service, " has no method ", quoted(call.method)));
  }
  if (!call.is_stream)
    return call.reply.fail(wire::Code::kInvalidArgument, "Stream: the call sends no messages");
  std::erase_if(callers_, [](const auto& caller) { return !caller->is_there(); });
  if (callers_.size() >= kMostCallers)
    return call.reply.fail(wire::Code::kResourceExhausted, cat(kMostCallers, " streams are open"));
  callers_.push_back(std::make_unique<StreamCaller>(*this, std::move(call.reply)));
}

void SocketStreams::called(StreamCaller& caller) {
  for (SocketStream* stream : streams_) {
    if (stream->id_ == caller.id()) return join(*stream, caller);
  }
}

// A daemon that has come again may be quicker than the end of its last connection.
void SocketStreams::join(SocketStream& stream, StreamCaller& caller) {
  if (StreamCaller* before = std::exchange(stream.caller_, &caller); before != nullptr) {
    before->stream_ = nullptr;
    before->fail(wire::Code::kAborted, "another caller has the stream now");
  }
  caller.stream_ = &stream;
  stream.changed_();
}

}  // namespace ocirt::shim
