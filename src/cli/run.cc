// `run`: create, start, wait, delete in one. Its exit status is that of the container's program.
#include "src/container/run.h"

#include "src/cli/commands.h"
#include "src/cli/create_options.h"
#include "src/cli/globals.h"

namespace ocirt::cli {
namespace {

using container::CreateOptions;

constexpr auto kOptions = with_create_options(std::array{
    toggle<&CreateOptions::detach>("detach", 'd', "return when the program runs"),
    toggle<&CreateOptions::keep>("keep", 0, "leave the stopped container to `delete`"),
    toggle<&CreateOptions::no_subreaper>("no-subreaper", 0,
                                         "do not adopt the orphans of the container"),
});

Result<int> run_container(Call& call, CreateOptions& options,
                          std::span<const std::string_view> arguments) {
  options.id = arguments[0];
  TRY(container::check_id(options.id));
  container::Store store = TRY(container::Store::open(call.global.root, true));
  return container::run(store, call.global, options, call.warnings, call.complaints);
}

}  // namespace

constinit const Command kRunCommand = {
    .name = "run",
    .arguments = "ID",
    .summary = "Creates a container, runs its program, deletes it; ends as the program does",
    .options = kOptions,
    .fewest = 1,
    .most = 1,
    .run = run<CreateOptions, run_container>,
};

}  // namespace ocirt::cli
