#include "src/pod/http_probe.h"

#include "src/base/text.h"

namespace ocirt::pod {
namespace {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_names(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

bool has_header(const HttpGet& get, std::string_view name) {
  for (const HttpHeader& header : get.headers) {
    if (equal_names(header.name, name)) return true;
  }
  return false;
}

std::string host_header(std::string_view address, uint16_t port) {
  // An IPv6 address stands in brackets (RFC 3986, 3.2.2).
  const bool v6 = address.contains(':') && !address.starts_with('[');
  std::string host = v6 ? cat("[", address, "]") : std::string(address);
  if (port != 80) host += cat(":", port);
  return host;
}

}  // namespace

std::string http_request(const HttpGet& get, std::string_view address) {
  std::string request = cat("GET ", get.path, " HTTP/1.1\r\n");
  const auto by_default = [&](std::string_view name, std::string_view value) {
    if (!has_header(get, name)) request += cat(name, ": ", value, "\r\n");
  };
  by_default("Host", host_header(get.host.empty() ? address : get.host, get.port));
  by_default("User-Agent", "ocirt-probe");
  by_default("Accept", "*/*");
  by_default("Connection", "close");
  for (const HttpHeader& header : get.headers) {
    request += cat(header.name, ": ", header.value, "\r\n");
  }
  return request + "\r\n";
}

std::optional<HttpAnswer> judge_http(std::string_view received, bool at_end) {
  // "HTTP/1.1 200", and whatever follows. Only the digit of the minor version is free (RFC 9112,
  // 4).
  constexpr std::string_view kBegin = "HTTP/1.";
  constexpr size_t kStatus = kBegin.size() + 2;
  constexpr size_t kNeeded = kStatus + 3;
  const auto not_http = [] { return HttpAnswer{false, 0, "the answer is not HTTP"}; };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  for (size_t i = 0; i < received.size() && i < kNeeded; ++i) {
    const char c = received[i];
    const bool fits = i < kBegin.size()        ? c == kBegin[i]
                      : i == kBegin.size()     ? digit(c)
                      : i == kBegin.size() + 1 ? c == ' '
                                               : digit(c);
    if (!fits) return not_http();
  }
  // One byte more shows that the number has ended.
  if (received.size() <= kNeeded && !at_end) return std::nullopt;
  if (received.size() < kNeeded) {
    return HttpAnswer{false, 0, "the answer ended before the status of HTTP"};
  }
  if (received.size() > kNeeded && digit(received[kNeeded])) return not_http();
  const int status = *to_number<int>(received.substr(kStatus, 3));
  return HttpAnswer{status >= 200 && status < 400, status, cat("HTTP status ", status)};
}

}  // namespace ocirt::pod
