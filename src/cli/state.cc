// `state`: what the specification calls "query state" (runtime.md).
#include "src/cli/command_options.h"
#include "src/cli/commands.h"
#include "src/container/list.h"
#include "src/sys/file.h"

namespace ocirt::cli {
namespace {

Result<int> state(Call& call, NoOptions&, std::span<const std::string_view>) {
  container::Store store = TRY(store_of(call));
  container::Entry entry = TRY(container::entry_of(store, call.id));
  sys::print(container::state_document(entry, true));
  return 0;
}

}  // namespace

constinit const Command kStateCommand = {
    .name = "state",
    .arguments = "ID",
    .summary = "Prints the state of a container as JSON",
    .rights = Rights::anybody,
    .fewest = 1,
    .most = 1,
    .run = run<NoOptions, state>,
};

}  // namespace ocirt::cli
