#include "src/wire/any.h"

namespace ocirt::wire {

bool is_a(const Any* any, std::string_view type_url) {
  constexpr std::string_view kPrefix = "type.googleapis.com/";
  if (any == nullptr) return false;
  std::string_view is = any->type_url;
  if (is.starts_with(kPrefix)) is.remove_prefix(kPrefix.size());
  return is == type_url;
}

}  // namespace ocirt::wire
