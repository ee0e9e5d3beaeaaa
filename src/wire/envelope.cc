#include "src/wire/envelope.h"

#include "src/base/text.h"
#include "src/wire/frame.h"
#include "src/wire/scan.h"

namespace ocirt::wire {
namespace {

constexpr size_t kMostText = 65536;

// The message behind a header, in one piece of memory.
template <Message M>
std::string frame(uint32_t stream, FrameType type, const M& message) {
  std::string out(kHeaderSize, '\0');
  append(out, message);
  encode(
      {.length = static_cast<uint32_t>(out.size() - kHeaderSize), .stream = stream, .type = type},
      out.data());
  return out;
}

// Why something failed may quote what is no text, but a client's protobuf would refuse all of the
// answer for a single byte of it. The length is not known beforehand either.
std::string readable(std::string_view text) {
  std::string out(text.substr(0, kMostText));
  if (is_utf8(out)) return out;
  for (char& c : out) {
    if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  }
  return out;
}

}  // namespace

Result<std::string> request_frame(uint32_t stream, const Outgoing& call, sys::Nanoseconds timeout) {
  const std::string service(call.service), method(call.method);
  const std::string key(kNamespaceKey), value(call.containerd_namespace);
  auto request = blank<ttrpc::Request>();
  request.service = lend(service);
  request.method = lend(method);
  request.payload = lend_bytes(call.payload);
  request.timeout_nano = timeout.count();
  Rows<ttrpc::KeyValue> metadata;
  if (!value.empty()) {
    auto& row = metadata.add();
    row.key = lend(key);
    row.value = lend(value);
  }
  request.n_metadata = metadata.size();
  request.metadata = metadata.lend();
  std::string out = frame(stream, FrameType::kRequest, request);
  if (out.size() > kHeaderSize + kMaxPayload) {
    return refuse(cat(method, ": a request of ", out.size() - kHeaderSize,
                      " bytes is longer than the ", kMaxPayload, " that ttrpc can carry"));
  }
  return out;
}

std::string answer_frame(uint32_t stream, std::string_view payload) {
  auto response = blank<ttrpc::Response>();
  response.payload = lend_bytes(payload);
  std::string out = frame(stream, FrameType::kResponse, response);
  if (out.size() > kHeaderSize + kMaxPayload) {
    return refusal_frame(stream, Code::kResourceExhausted,
                         cat("the answer of ", payload.size(), " bytes is longer than the ",
                             kMaxPayload, " that ttrpc can carry"));
  }
  return out;
}

std::string refusal_frame(uint32_t stream, Code code, std::string_view text) {
  const std::string message = readable(text);
  auto status = blank<ttrpc::Status>();
  status.code = static_cast<int32_t>(code);
  status.message = lend(message);
  auto response = blank<ttrpc::Response>();
  response.status = &status;
  return frame(stream, FrameType::kResponse, response);
}

std::string message_frame(uint32_t stream, std::string_view payload) {
  if (payload.size() > kMaxPayload) {
    return refusal_frame(stream, Code::kResourceExhausted,
                         cat("a message of ", payload.size(), " bytes is longer than the ",
                             kMaxPayload, " that ttrpc can carry"));
  }
  std::string out(kHeaderSize, '\0');
  out += payload;
  encode(
      {.length = static_cast<uint32_t>(payload.size()), .stream = stream, .type = FrameType::kData},
      out.data());
  return out;
}

std::string end_frame(uint32_t stream) {
  std::string out(kHeaderSize, '\0');
  encode({.stream = stream, .type = FrameType::kData, .flags = kRemoteClosed | kNoData},
         out.data());
  return out;
}

Result<Answer> read_answer(std::string_view payload) {
  auto response = TRY(parse<ttrpc::Response>(payload));
  Answer answer;
  if (response->status != nullptr && response->status->code != 0) {
    answer.code = static_cast<Code>(response->status->code);
    answer.text = response->status->message;
    return answer;
  }
  answer.payload = view(response->payload);
  return answer;
}

}  // namespace ocirt::wire
