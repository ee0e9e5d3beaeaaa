// The words of an HTTP probe: the request, and what the first line of the answer means. Sockets are
// the shim's.
//
// A probe asks a stranger: what comes back may be endless, binary or never complete. Twelve bytes
// decide, nothing behind them is looked at, and no more than kMaxStatusLine are waited for.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "src/pod/pod.h"

namespace ocirt::pod {

inline constexpr size_t kMaxStatusLine = 256;

// The whole request; `address` is what was connected to, for the Host header. Headers of the probe
// replace those that are sent by default (Host, User-Agent, Accept, Connection).
std::string http_request(const HttpGet& get, std::string_view address);

struct HttpAnswer {
  bool success = false;  // a status of 200 to 399
  int status = 0;        // 0: not HTTP
  std::string text;      // for the event: "HTTP status 503"
};

// Judges what has been received so far; nothing as long as more is needed. With `at_end` (the
// peer has closed, or `received` has kMaxStatusLine bytes) there is always an answer.
std::optional<HttpAnswer> judge_http(std::string_view received, bool at_end);

}  // namespace ocirt::pod
