#include "src/base/result.h"

namespace ocirt {

std::unexpected<Error> os_error(std::string_view what, int code) {
  std::string text(what);
  text += ": ";
  text += errno_text(code);
  return std::unexpected(Error{code, std::move(text)});
}

}  // namespace ocirt
