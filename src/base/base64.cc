#include "src/base/base64.h"

#include <cstdint>

namespace ocirt {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::optional<std::string> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string out;
  for (; !text.empty(); text.remove_prefix(4)) {
    std::string_view group = text.substr(0, 4);
    // Padding ends the whole text only.
    if (text.size() == 4) {
      while (group.size() > 2 && group.ends_with('=')) group.remove_suffix(1);
    }
    uint32_t bits = 0;
    for (char digit : group) {
      const size_t value = kAlphabet.find(digit);
      if (value == std::string_view::npos) return std::nullopt;
      bits = bits << 6 | static_cast<uint32_t>(value);
    }
    bits <<= 6 * (4 - group.size());
    const char bytes[] = {static_cast<char>(bits >> 16 & 0xff), static_cast<char>(bits >> 8 & 0xff),
                          static_cast<char>(bits & 0xff)};
    out.append(bytes, group.size() - 1);
  }
  return out;
}

}  // namespace ocirt
