// `start`: opens the gate that a created container waits at.
#include "src/container/start.h"

#include "src/cli/command_options.h"
#include "src/cli/commands.h"

namespace ocirt::cli {
namespace {

Result<int> start(Call& call, NoOptions&, std::span<const std::string_view>) {
  container::Store store = TRY(store_of(call));
  call.complaints = TRY(container::start(store, call.id));
  return 0;
}

}  // namespace

constinit const Command kStartCommand = {
    .name = "start",
    .arguments = "ID",
    .summary = "Runs the program of a created container",
    .fewest = 1,
    .most = 1,
    .run = run<NoOptions, start>,
};

}  // namespace ocirt::cli
