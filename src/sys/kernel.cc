#include "src/sys/kernel.h"

#include <sys/utsname.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace ocirt::sys {

uint32_t kernel_version() {
  utsname name;
  if (::uname(&name) < 0) return 0;
  const char* at = name.release;
  const char* end = at + std::strlen(at);
  uint32_t version = 0;
  for (int i = 0; i < 3; ++i) {
    uint32_t part = 0;
    const auto [behind, wrong] = std::from_chars(at, end, part);
    if (wrong != std::errc() && i < 2) return 0;
    // A sublevel above 255 is 255 in the kernel's own number too (Linux 4.14).
    version = version << 8 | std::min<uint32_t>(part, 255);
    at = behind;
    if (at != end && *at == '.') ++at;
  }
  return version;
}

}  // namespace ocirt::sys
