#include "src/base/result.h"

#include <cstring>

namespace ocirt {

std::string_view errno_text(int code) {
  // strerrordesc_np() neither allocates nor looks at the locale, unlike strerror().
  const char* text = ::strerrordesc_np(code);
  return text != nullptr ? text : "unknown error";
}

std::unexpected<Error> os_error(std::string_view what, int code) {
  std::string text(what);
  text += ": ";
  text += errno_text(code);
  return std::unexpected(Error{code, std::move(text)});
}

}  // namespace ocirt
