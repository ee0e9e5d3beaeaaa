// `delete`: engines call it in every cleanup, also for containers that never came to be.
#include "src/container/delete.h"

#include <cerrno>

#include "src/cli/command_options.h"
#include "src/cli/commands.h"
#include "src/cli/selection.h"

namespace ocirt::cli {
namespace {

constexpr Option kOptions[] = {
    toggle<&DeleteOptions::force>("force", 'f', "kill it first; no error when nothing has this id"),
    toggle<&DeleteOptions::regex>("regex", 'r',
                                  "ID is a regular expression: delete all that match"),
};

Result<> remove(Call& call, const container::Store& store, const std::string& id, bool force) {
  container::Warnings warnings = TRY(container::remove_container(store, id, force));
  for (const std::string& warning : warnings) call.warnings.push_back(cat(id, ": ", warning));
  return {};
}

Result<int> delete_container(Call& call, DeleteOptions& options,
                             std::span<const std::string_view>) {
  if (options.regex) {
    TRY(for_each_match(call, call.id, [&](const container::Store& store, const std::string& id) {
      return remove(call, store, id, options.force);
    }));
    return 0;
  }
  Result<container::Store> store = store_of(call);
  if (!store && store.error().code == ENOENT && options.force) return 0;
  if (!store) return std::unexpected(std::move(store).error());
  TRY(remove(call, *store, call.id, options.force));
  return 0;
}

}  // namespace

constinit const Command kDeleteCommand = {
    .name = "delete",
    .arguments = "ID",
    .summary = "Removes a stopped container and all that belongs to it",
    .options = kOptions,
    .fewest = 1,
    .most = 1,
    .run = run<DeleteOptions, delete_container>,
};

}  // namespace ocirt::cli
