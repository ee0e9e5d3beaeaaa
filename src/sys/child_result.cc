#include "src/sys/child_result.h"

#include <string>

#include "src/base/text.h"
#include "src/sys/file.h"

namespace ocirt::sys {

void tell_result(Fd pipe, const Result<>& done) {
  (void)write_all(pipe, "answer",
                  done ? std::string("ok") : cat(done.error().code, " ", done.error().text));
}

Result<> hear_result(Fd pipe, std::string_view silence) {
  const std::string text = TRY(read_all(pipe, "answer"));
  if (text == "ok") return {};
  const size_t space = text.find(' ');
  if (space == std::string::npos) return refuse(std::string(silence));
  return std::unexpected(
      Error{to_number<int>(text.substr(0, space)).value_or(0), text.substr(space + 1)});
}

}  // namespace ocirt::sys
