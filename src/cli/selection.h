// Which containers an argument means: one by its id, or all whose ids match a regular expression.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "src/cli/command.h"
#include "src/container/store.h"

namespace ocirt::cli {

// Whether ids match an extended POSIX regular expression (regex(7)), anywhere unless it is
// anchored.
Result<std::vector<std::string>> matching(const std::vector<std::string>& ids,
                                          const std::string& expression);

// Calls `act(store, id)` for each container whose id matches `expression`. One that fails does not
// spare the others; the error then names all that failed. None that matches is no error.
template <class Act>
Result<> for_each_match(const Call& call, const std::string& expression, Act act) {
  std::optional<container::Store> store = TRY(store_if_any(call));
  if (!store) return {};
  std::vector<std::string> ids = TRY(store->ids());
  std::vector<std::string> matches = TRY(matching(ids, expression));
  std::string failures;
  for (const std::string& id : matches) {
    Result<> done = act(*store, id);
    if (!done) failures += cat(failures.empty() ? "" : "; ", id, ": ", done.error().text);
  }
  if (!failures.empty()) return refuse(std::move(failures));
  return {};
}

}  // namespace ocirt::cli
