// `create`: everything up to the start gate. The work is in src/container/create.cc.
#include "src/container/create.h"

#include "src/cli/commands.h"
#include "src/cli/create_options.h"
#include "src/cli/globals.h"

namespace ocirt::cli {
namespace {

Result<int> create(Call& call, container::CreateOptions& options,
                   std::span<const std::string_view> arguments) {
  options.id = arguments[0];
  TRY(container::check_id(options.id));
  container::Store store = TRY(container::Store::open(call.global.root, true));
  call.warnings = TRY(container::create(store, call.global, options, call.complaints));
  return 0;
}

}  // namespace

constinit const Command kCreateCommand = {
    .name = "create",
    .arguments = "ID",
    .summary = "Creates a container from a bundle; `start` then runs its program",
    .options = kCreateOptions,
    .fewest = 1,
    .most = 1,
    .run = run<container::CreateOptions, create>,
};

}  // namespace ocirt::cli
