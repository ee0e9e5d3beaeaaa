// Fuzzer of users: an image's user, passwd and group, three parts of the input between NULs. Who it
// is must be what the files say, and nobody becomes root by a number that does not fit. Build with
// clang -fsanitize=fuzzer,address,undefined.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "src/container/own_ids.h"
#include "src/podfile/users.h"

namespace {

std::string_view next(std::string_view& rest) {
  const size_t end = std::min(rest.find('\0'), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const std::string_view user = next(rest), passwd = next(rest), group = next(rest);
  const auto identity = ocirt::podfile::identity_of(user, passwd, group);
  if (!identity && identity.error().text.empty()) std::abort();
  // Root is "", the number 0, or somebody whom the file knows.
  const std::string_view name = user.substr(0, std::min(user.find(':'), user.size()));
  const bool is_number = name.find_first_not_of("0123456789") == std::string_view::npos;
  if (identity && identity->uid == 0 && is_number &&
      name.find_first_not_of('0') != std::string_view::npos && passwd.find(name) == name.npos)
    std::abort();
  (void)ocirt::container::ids_of(1000, 1000, passwd, group, rest);
  return 0;
}
