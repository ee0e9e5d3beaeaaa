#include "src/wire/client.h"

#include <array>
#include <cerrno>

#include "src/base/text.h"
#include "src/sys/socket.h"
#include "src/sys/stream.h"

namespace ocirt::wire {

Result<Client> Client::connect(CStr path) { return Client(TRY(sys::connect_stream(path))); }

Result<std::string> Client::payload_of(Result<Answer> answer) {
  Answer got = TRY(std::move(answer));
  if (got.code != Code::kOk) {
    return std::unexpected(Error{errno_of(got.code), std::move(got.text)});
  }
  return std::move(got.payload);
}

Result<Answer> Client::call(std::string_view service, std::string_view method,
                            std::string_view payload, sys::Nanoseconds timeout) {
  if (!socket_.valid()) return std::unexpected(Error{ECONNRESET, "the connection has ended"});
  const uint32_t stream = next_stream_;
  const std::string frame = TRY(request_frame(stream,
                                              {.service = service,
                                               .method = method,
                                               .payload = payload,
                                               .containerd_namespace = namespace_},
                                              timeout));
  next_stream_ += 2;
  const sys::Nanoseconds end =
      timeout == sys::Nanoseconds(0) ? sys::Nanoseconds::max() : sys::monotonic_now() + timeout;
  Result<Answer> answer = within(method, exchange(frame, stream, end));
  // Anything but a late answer leaves the connection in a state that we do not know.
  if (!answer && answer.error().code != ETIMEDOUT) socket_.reset();
  return answer;
}

Result<> Client::wait(unsigned for_what, sys::Nanoseconds end) {
  sys::Nanoseconds longest(-1);
  if (end != sys::Nanoseconds::max()) {
    longest = std::max(sys::Nanoseconds(0), end - sys::monotonic_now());
  }
  if (!TRY(sys::wait_until_ready(socket_, for_what, longest))) {
    return std::unexpected(Error{ETIMEDOUT, "no answer in time"});
  }
  return {};
}

Result<Answer> Client::exchange(std::string_view frame, uint32_t stream, sys::Nanoseconds end) {
  for (bool begun = false; !frame.empty();) {
    const size_t sent = TRY(sys::send_some(socket_, frame));
    frame.remove_prefix(sent);
    begun |= sent > 0;
    if (frame.empty()) break;
    Result<> ready = wait(sys::kWritable, end);
    // Half a frame is on its way, and cannot be taken back.
    if (!ready && begun) socket_.reset();
    if (!ready) return std::unexpected(std::move(ready).error());
  }
  std::array<char, 16384> buffer;
  for (;;) {
    TRY(wait(sys::kReadable, end));
    const std::optional<size_t> got = TRY(sys::read_some(socket_, buffer));
    if (!got) continue;
    if (*got == 0) {
      return std::unexpected(Error{ECONNRESET, "the connection has ended without an answer"});
    }
    std::string_view bytes(buffer.data(), *got);
    std::optional<Result<Answer>> answer;
    while (std::optional<Frame> next = reader_.next(bytes)) {
      if (next->is_oversized) return refuse("an answer longer than ttrpc can carry");
      // Answers to calls that have been given up come late; no other stream is ours.
      if (next->header.type != FrameType::kResponse || next->header.stream != stream) continue;
      answer = read_answer(next->payload);
    }
    if (answer) return *std::move(answer);
  }
}

}  // namespace ocirt::wire
