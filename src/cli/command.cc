#include "src/cli/command.h"

#include <cerrno>

#include "src/base/text.h"
#include "src/cli/help.h"
#include "src/sys/file.h"
#include "src/sys/process.h"

namespace ocirt::cli {

Result<Parsed> read_words(Call& call, void* options) {
  const Command& command = call.command;
  Parsed parsed = TRY(parse(command.options, command.order, options, call.words));
  if (parsed.help) return parsed;
  size_t place = 0;
  for (std::string_view word : split(command.arguments, ' ')) {
    if (word == "ID" && place < parsed.arguments.size()) call.id = parsed.arguments[place];
    ++place;
  }
  if (parsed.arguments.size() < command.fewest) {
    return usage_error(cat("an argument is missing, expected ", command.arguments));
  }
  if (parsed.arguments.size() > command.most) {
    return usage_error(cat("unexpected argument ", quoted(parsed.arguments[command.most])));
  }
  return parsed;
}

Result<> check_rights(const Call& call) {
  if (call.command.rights == Rights::anybody || sys::effective_uid() == 0) return {};
  if (container::is_rootless(call.global)) return {};
  return refuse("--rootless false: then it takes root, and this is an ordinary user");
}

int print_help(const Command& command) {
  sys::print(command_help(command));
  return 0;
}

Result<container::Store> store_of(const Call& call) {
  TRY(container::check_id(call.id));
  Result<container::Store> store = container::Store::open(call.global.root, false);
  if (!store && store.error().code == ENOENT) {
    return std::unexpected(Error{ENOENT, cat("container ", call.id, " does not exist")});
  }
  return store;
}

Result<std::optional<container::Store>> store_if_any(const Call& call) {
  Result<container::Store> store = container::Store::open(call.global.root, false);
  if (!store && store.error().code == ENOENT && !call.global.root_given) return std::nullopt;
  if (!store) return std::unexpected(std::move(store).error());
  return *std::move(store);
}

}  // namespace ocirt::cli
