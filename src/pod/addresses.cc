#include "src/pod/addresses.h"

#include "src/base/text.h"

namespace ocirt::pod {
namespace {

// As a JSON writer puts a control character.
std::string escaped(std::string_view text) {
  return cat("\\u0001", text.substr(1, text.size() - 2), "\\u0001");
}

std::string replaced(std::string_view json, std::string_view for_one, std::string_view for_many) {
  const std::string one = escaped(kPodIp), many = escaped(kPodIps);
  std::string out;
  while (!json.empty()) {
    const size_t at = json.find("\\u0001");
    out += json.substr(0, at);
    if (at == std::string_view::npos) break;
    json.remove_prefix(at);
    const bool is_one = json.starts_with(one);
    if (is_one || json.starts_with(many)) {
      out += is_one ? for_one : for_many;
      json.remove_prefix((is_one ? one : many).size());
    } else {
      out += json.front();
      json.remove_prefix(1);
    }
  }
  return out;
}

}  // namespace

std::string with_addresses(std::string_view json, std::span<const std::string> addresses) {
  std::string all;
  for (const std::string& address : addresses) all += cat(all.empty() ? "" : ",", address);
  return replaced(json, addresses.front(), all);
}

std::string with_names_of_addresses(std::string_view json) {
  return replaced(json, "$(status.podIP)", "$(status.podIPs)");
}

}  // namespace ocirt::pod
