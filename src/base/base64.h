// Base64 as RFC 4648 has it: bytes in annotations, which are text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ocirt {

// The bytes; nothing for a text that is not base64 with its padding.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace ocirt
