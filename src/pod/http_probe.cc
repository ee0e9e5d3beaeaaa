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

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// Without a line's end, which may lack its CR (RFC 9112, 2.2).
std::string_view without_cr(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// The lines up to the empty one, which go from `received` with it; nothing when it has not come.
std::optional<std::string_view> take_header(std::string_view& received) {
  for (size_t begin = 0;;) {
    const size_t end = received.find('\n', begin);
    if (end == std::string_view::npos) return std::nullopt;
    if (without_cr(received.substr(begin, end - begin)).empty()) {
      const std::string_view header = received.substr(0, begin);
      received.remove_prefix(end + 1);
      return header;
    }
    begin = end + 1;
  }
}

std::string location_in(std::string_view header) {
  while (const std::optional<std::string_view> line = next_line(header)) {
    const size_t colon = line->find(':');
    if (colon == std::string_view::npos || !equal_names(line->substr(0, colon), "Location"))
      continue;
    return std::string(trim(without_cr(line->substr(colon + 1))));
  }
  return {};
}

// "http" of "HTTP://host/path", which loses it and the colon; empty where there is none.
std::string take_scheme(std::string_view& url) {
  const size_t colon = url.find_first_of(":/?");
  if (colon == std::string_view::npos || colon == 0 || url[colon] != ':') return {};
  std::string scheme;
  for (char c : url.substr(0, colon)) {
    const bool fits = (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
                      c == '-' || c == '.';
    if (!fits) return {};
    scheme += lower(c);
  }
  url.remove_prefix(colon + 1);
  return scheme;
}

// The host, without the brackets of IPv6, and its port, nothing where what stands there is none.
std::pair<std::string_view, std::optional<uint16_t>> split_authority(std::string_view authority) {
  authority.remove_prefix(authority.rfind('@') + 1);  // none: the whole
  std::string_view host = authority, port;
  const size_t bracket = authority.starts_with('[') ? authority.find(']') : std::string_view::npos;
  if (bracket != std::string_view::npos) {
    host = authority.substr(1, bracket - 1);
    port = authority.substr(bracket + 1);
  } else if (const size_t colon = authority.rfind(':'); colon != std::string_view::npos) {
    host = authority.substr(0, colon);
    port = authority.substr(colon);
  }
  if (port.empty() || port == ":") return {host, 80};
  if (port[0] != ':') return {host, std::nullopt};
  return {host, to_number<uint16_t>(port.substr(1))};
}

// A path and a query, as they stand in a request.
std::string escaped(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > ' ' && byte < 0x7f) {
      out += c;
    } else {
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

// A reference without scheme and host, from a path with its query.
std::string joined(std::string_view base, std::string_view reference) {
  const std::string_view path = reference.substr(0, reference.find('?'));
  const std::string_view query = reference.substr(path.size());
  const std::string_view base_path = base.substr(0, base.find('?'));
  if (path.empty()) return escaped(cat(query.empty() ? base : base_path, query));
  const std::string whole = path.starts_with('/')
                                ? std::string(path)
                                : cat(base_path.substr(0, base_path.rfind('/') + 1), path);
  // Without what "." and ".." take away; a slash at the end stays, also behind one of these.
  const bool is_directory = whole.ends_with('/') || whole.ends_with("/.") || whole.ends_with("/..");
  std::string out = clean_path(whole);
  if (is_directory && out != "/") out += '/';
  return escaped(cat(out, query));
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
  const auto failed = [](std::string_view why) {
    return HttpAnswer{.success = false, .status = 0, .text = std::string(why), .location = {}};
  };
  const auto not_http = [&] { return failed("the answer is not HTTP"); };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  for (;;) {
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
    if (received.size() < kNeeded) return failed("the answer ended before the status of HTTP");
    if (received.size() > kNeeded && digit(received[kNeeded])) return not_http();
    const int status = *to_number<int>(received.substr(kStatus, 3));
    HttpAnswer answer{.success = status >= 200 && status < 400,
                      .status = status,
                      .text = cat("HTTP status ", status),
                      .location = {}};
    const bool is_first = status >= 100 && status < 200 && status != 101;  // another one follows
    if (!is_first && !is_redirect(status)) return answer;
    const std::optional<std::string_view> header = take_header(received);
    if (!header && !at_end) return std::nullopt;
    if (!header) return failed(cat("the answer ended in the header of HTTP status ", status));
    if (is_first) continue;
    answer.location = location_in(*header);
    return answer;
  }
}

Redirect redirect_of(const HttpGet& asked, std::string_view address, std::string_view location) {
  const auto broken = [&](std::string_view why) {
    return Redirect{
        .to = {}, .success = false, .text = cat("a redirect to ", quoted(location), why)};
  };
  const auto not_followed = [&](std::string_view why) {
    return Redirect{
        .to = {}, .success = true, .text = cat("a redirect to ", quoted(location), why)};
  };
  std::string_view rest = location.substr(0, location.find('#'));
  for (char c : rest) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) return broken(": it is no address");
  }
  const std::string_view host = asked.host.empty() ? address : std::string_view(asked.host);
  HttpGet to = asked;
  const std::string scheme = take_scheme(rest);
  if (!scheme.empty()) {
    std::erase_if(to.headers, [](const auto& header) { return equal_names(header.name, "Host"); });
  }
  if (scheme.empty() && !rest.starts_with("//")) {
    to.path = joined(asked.path, rest);
    return {.to = std::move(to), .success = true, .text = {}};
  }
  std::string_view authority;
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    authority = rest.substr(0, rest.find_first_of("/?"));
    rest.remove_prefix(authority.size());
  }
  const auto [name, port] = split_authority(authority);
  if (name != host) return not_followed(", which is another host, was not followed");
  if (scheme == "https") return not_followed(": HTTPS is not supported, and it was not followed");
  if (!scheme.empty() && scheme != "http") return broken(": it is not HTTP");
  if (!port) return broken(": its port is none");
  to.port = *port;
  to.path = joined("/", rest);
  return {.to = std::move(to), .success = true, .text = {}};
}

}  // namespace ocirt::pod
