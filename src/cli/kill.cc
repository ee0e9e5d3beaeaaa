// `kill`: the signal comes after the id, as a number or a name (runtime.md, "Kill").
#include "src/container/kill.h"

#include "src/cli/command_options.h"
#include "src/cli/commands.h"
#include "src/cli/selection.h"
#include "src/linux/signals.h"

namespace ocirt::cli {
namespace {

constexpr Option kOptions[] = {
    toggle<&KillOptions::all>("all", 'a', "signal every process of the container"),
    toggle<&KillOptions::regex>("regex", 'r', "ID is a regular expression: signal all that match"),
};

Result<int> kill(Call& call, KillOptions& options, std::span<const std::string_view> arguments) {
  int signal = TRY(signal_number(arguments.size() > 1 ? arguments[1] : "TERM"));
  if (options.regex) {
    TRY(for_each_match(call, call.id, [&](const container::Store& store, const std::string& id) {
      return container::kill(store, id, signal, options.all);
    }));
    return 0;
  }
  container::Store store = TRY(store_of(call));
  TRY(container::kill(store, call.id, signal, options.all));
  return 0;
}

}  // namespace

constinit const Command kKillCommand = {
    .name = "kill",
    .arguments = "ID [SIGNAL]",
    .summary = "Sends a signal (default TERM) to the container's process",
    .options = kOptions,
    .order = Order::options_first,
    .fewest = 1,
    .most = 2,
    .run = run<KillOptions, kill>,
};

}  // namespace ocirt::cli
