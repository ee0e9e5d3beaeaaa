#include "tests/pods/raw_client.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "src/sys/socket.h"
#include "src/sys/stream.h"

namespace harness {

namespace sys = ocirt::sys;
namespace wire = ocirt::wire;
using std::chrono::milliseconds;
using std::chrono::seconds;

RawClient::RawClient(const std::string& socket) {
  ocirt::Result<ocirt::UniqueFd> made = sys::connect_stream(socket);
  if (!made) throw std::runtime_error(made.error().text);
  socket_ = std::move(*made);
}

std::string RawClient::request(uint32_t stream, std::string_view service, std::string_view method,
                               std::string_view payload, std::chrono::nanoseconds timeout) {
  return *wire::request_frame(
      stream,
      {.service = service, .method = method, .payload = payload, .containerd_namespace = {}},
      timeout);
}

std::string RawClient::message(uint32_t stream, std::string_view payload) {
  return wire::message_frame(stream, payload);
}

std::string RawClient::last(uint32_t stream) { return wire::end_frame(stream); }

std::string RawClient::opening(uint32_t stream, std::string_view service, std::string_view method) {
  std::string frame = request(stream, service, method);
  frame[wire::kHeaderSize - 1] = static_cast<char>(wire::kRemoteOpen);
  return frame;
}

bool RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    ocirt::Result<size_t> sent = sys::send_some(socket_, bytes);
    if (!sent) return false;
    bytes.remove_prefix(*sent);
    if (*sent == 0 && !*sys::wait_until_ready(socket_, sys::kWritable, patience_)) return false;
  }
  return true;
}

RawClient::Got RawClient::next() {
  while (arrived_.empty()) {
    if (!*sys::wait_until_ready(socket_, sys::kReadable, seconds(60))) {
      ADD_FAILURE() << "no answer in a minute";
      return {};
    }
    char buffer[65536];
    const size_t got = (*sys::read_some(socket_, buffer)).value_or(0);
    if (got == 0) return {};
    std::string_view bytes(buffer, got);
    while (auto frame = reader_.next(bytes)) {
      if (frame->header.type == wire::FrameType::kData) {
        Got message{.stream = frame->header.stream, .answer = {}};
        message.answer.payload = frame->payload;
        message.is_message = (frame->header.flags & wire::kNoData) == 0;
        message.is_last = (frame->header.flags & wire::kRemoteClosed) != 0;
        arrived_.push_back(std::move(message));
        continue;
      }
      EXPECT_EQ(frame->header.type, wire::FrameType::kResponse);
      auto answer = wire::read_answer(frame->payload);
      if (!answer) throw std::runtime_error(answer.error().text);
      arrived_.push_back({.stream = frame->header.stream, .answer = std::move(*answer)});
    }
  }
  Got first = std::move(arrived_.front());
  arrived_.erase(arrived_.begin());
  return first;
}

wire::Answer RawClient::call(std::string_view service, std::string_view method,
                             std::string_view payload) {
  const uint32_t stream = next_stream_;
  next_stream_ += 2;
  EXPECT_TRUE(send(request(stream, service, method, payload)));
  Got got = next();
  EXPECT_EQ(got.stream, stream);
  return got.answer;
}

bool RawClient::is_quiet_for(milliseconds time) {
  return arrived_.empty() && !*sys::wait_until_ready(socket_, sys::kReadable, time);
}

}  // namespace harness
