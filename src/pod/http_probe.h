// The words of an HTTP probe: the request, what the answer means, and where a redirect leads.
// Sockets are the shim's.
//
// A probe asks a stranger: what comes back may be endless, binary or never complete. Twelve bytes
// decide, and behind them nothing is looked at but the header of a redirect, and of what comes
// before the answer (RFC 9110, 15.2). No more than kMostOfAnAnswer are waited for.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "src/pod/pod.h"

namespace ocirt::pod {

inline constexpr size_t kMostOfAnAnswer = 16384;

// The whole request; `address` is what was connected to, for the Host header. Headers of the probe
// replace those that are sent by default (Host, User-Agent, Accept, Connection).
std::string http_request(const HttpGet& get, std::string_view address);

struct HttpAnswer {
  bool success = false;  // a status of 200 to 399
  int status = 0;        // 0: not HTTP
  std::string text;      // for the event: "HTTP status 503"
  std::string location;  // of a redirect
};

// Judges what has been received so far; nothing as long as more is needed. With `at_end` (the
// peer has closed, or `received` has kMostOfAnAnswer bytes) there is always an answer.
std::optional<HttpAnswer> judge_http(std::string_view received, bool at_end);

// Where a probe goes on. As the kubelet has it, it does so on the host that it was about only:
// another one is not this container, and that it answers so is enough.
inline constexpr int kMostRequests = 10;

struct Redirect {
  std::optional<HttpGet> to;
  bool success = false;  // else
  std::string text;      // else, for the event
};

// `asked` was sent to `address` and answered by a redirect to `location` (RFC 3986, 5.2).
Redirect redirect_of(const HttpGet& asked, std::string_view address, std::string_view location);

}  // namespace ocirt::pod
