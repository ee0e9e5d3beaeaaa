// The two envelopes of ttrpc as whole frames: what a client sends and what a server answers.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "src/base/result.h"
#include "src/sys/event_loop.h"
#include "src/wire/messages.h"
#include "src/wire/status.h"

namespace ocirt::wire {

// The key under which containerd says its namespace.
inline constexpr std::string_view kNamespaceKey = "containerd-namespace-ttrpc";

struct Outgoing {
  std::string_view service;  // "containerd.task.v3.Task"
  std::string_view method;   // "Create"
  std::string_view payload;
  std::string_view containerd_namespace;  // empty: not said
};

// What came of a call.
struct Answer {
  Code code = Code::kOk;
  std::string text;     // why it failed
  std::string payload;  // the message, when it did not
};

// A frame of type request. A timeout of 0 is none. Refuses more than kMaxPayload bytes.
Result<std::string> request_frame(uint32_t stream, const Outgoing& call, sys::Nanoseconds timeout);
// A frame of type response; a payload that is too large becomes kResourceExhausted.
std::string answer_frame(uint32_t stream, std::string_view payload);
std::string refusal_frame(uint32_t stream, Code code, std::string_view text);
// One message of a call of many, as a frame of type data, and the end of them. A payload that is
// too large becomes kResourceExhausted.
std::string message_frame(uint32_t stream, std::string_view payload);
std::string end_frame(uint32_t stream);
// What is in a frame of type response.
Result<Answer> read_answer(std::string_view payload);

}  // namespace ocirt::wire
