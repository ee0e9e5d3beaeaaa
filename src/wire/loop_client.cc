#include "src/wire/loop_client.h"

#include <algorithm>
#include <cerrno>

#include "src/base/text.h"
#include "src/sys/stream.h"

namespace ocirt::wire {
namespace {

constexpr size_t kReadSize = 16384;
constexpr size_t kMostUnsent = 4 << 20;

}  // namespace

Result<std::unique_ptr<LoopClient>> LoopClient::open(sys::EventLoop& loop, UniqueFd socket) {
  std::unique_ptr<LoopClient> client(new LoopClient(loop, std::move(socket)));
  client->watch_ = TRY(loop.watch(client->socket_, client->interest_,
                                  Callback<unsigned>::to<&LoopClient::on_ready>(*client)));
  return client;
}

LoopClient::~LoopClient() {
  if (destroyed_ != nullptr) *destroyed_ = true;
}

Result<uint32_t> LoopClient::call(const Outgoing& outgoing, sys::Nanoseconds timeout, Done done) {
  if (broken_ || ended_) return std::unexpected(Error{ECONNRESET, "the connection has ended"});
  if (outbox_.size() > kMostUnsent) {
    return std::unexpected(Error{EAGAIN, "the server does not read what it was sent"});
  }
  const uint32_t number = next_stream_;
  std::string frame = TRY(request_frame(number, outgoing, timeout));
  next_stream_ += 2;
  calls_.push_back(std::make_unique<Under>(*this, number, done));
  if (timeout != sys::Nanoseconds(0)) calls_.back()->deadline.start(timeout);
  if (!outbox_.send(socket_, std::move(frame))) {
    // The loop finds the socket at its end, and tells everybody.
    broken_ = true;
    sys::shut_down(socket_);
  }
  update_interest();
  return number;
}

void LoopClient::cancel(uint32_t number) {
  std::erase_if(calls_, [&](const std::unique_ptr<Under>& call) { return call->number == number; });
}

void LoopClient::Under::end_in_time() {
  owner.finish(number, Result<Answer>(std::unexpected(Error{ETIMEDOUT, "no answer in time"})));
}

// Last act of whoever calls it, unless destroyed_ is looked at: the callback may destroy this.
void LoopClient::finish(uint32_t number, Result<Answer> answer) {
  auto is_it = [&](const std::unique_ptr<Under>& call) { return call->number == number; };
  auto found = std::ranges::find_if(calls_, is_it);
  if (found == calls_.end()) return;  // given up before
  const std::unique_ptr<Under> call = std::move(*found);
  calls_.erase(found);
  call->done(number, answer);
}

void LoopClient::on_ready(unsigned ready) {
  if ((ready & sys::kWritable) != 0 && !outbox_.write(socket_)) broken_ = true;
  bool destroyed = false;
  destroyed_ = &destroyed;
  const bool goes_on = (ready & sys::kReadable) != 0 ? read() : (ready & sys::kGone) == 0;
  if (destroyed) return;
  destroyed_ = nullptr;
  if (!goes_on || broken_) return end();
  update_interest();
}

// False at the end of the connection, or when this has been destroyed.
bool LoopClient::read() {
  bool& destroyed = *destroyed_;
  char buffer[kReadSize];
  Result<std::optional<size_t>> got = sys::read_some(socket_, buffer);
  if (!got || got->value_or(1) == 0) return false;
  if (!*got) return true;
  std::string_view bytes(buffer, **got);
  while (std::optional<Frame> frame = reader_.next(bytes)) {
    if (frame->is_oversized) return false;  // no server may send that
    if (frame->header.type != FrameType::kResponse) continue;
    finish(frame->header.stream, read_answer(frame->payload));
    if (destroyed) return false;
  }
  return true;
}

void LoopClient::end() {
  ended_ = true;
  watch_.reset();
  bool destroyed = false;
  destroyed_ = &destroyed;
  while (!calls_.empty()) {
    finish(calls_.front()->number,
           Result<Answer>(std::unexpected(Error{ECONNRESET, "the connection has ended"})));
    if (destroyed) return;
  }
  destroyed_ = nullptr;
  if (on_end_) on_end_();
}

void LoopClient::update_interest() {
  const unsigned wanted = sys::kReadable | (outbox_.empty() ? 0u : sys::kWritable);
  if (wanted == interest_) return;
  interest_ = wanted;
  (void)watch_.change(wanted);
}

}  // namespace ocirt::wire
