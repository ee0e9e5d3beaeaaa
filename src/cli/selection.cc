#include "src/cli/selection.h"

#include <regex.h>

namespace ocirt::cli {

Result<std::vector<std::string>> matching(const std::vector<std::string>& ids,
                                          const std::string& expression) {
  regex_t compiled;
  if (int code = ::regcomp(&compiled, expression.c_str(), REG_EXTENDED | REG_NOSUB); code != 0) {
    char reason[200];
    ::regerror(code, &compiled, reason, sizeof reason);
    return usage_error(
        cat("regular expression ", quoted(expression), ": ", static_cast<const char*>(reason)));
  }
  std::vector<std::string> matches;
  for (const std::string& id : ids) {
    if (::regexec(&compiled, id.c_str(), 0, nullptr, 0) == 0) matches.push_back(id);
  }
  ::regfree(&compiled);
  return matches;
}

}  // namespace ocirt::cli
