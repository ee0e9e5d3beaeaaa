// SHA-256 (FIPS 180-4), for names: containerd's shims derive the name of their socket from it, and
// none of the libraries that are linked in has it. Not for secrets, and not fast.
#pragma once

#include <string>
#include <string_view>

namespace ocirt {

// The digest as 64 hexadecimal digits.
std::string sha256_hex(std::string_view bytes);

}  // namespace ocirt
