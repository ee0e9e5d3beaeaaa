// `pause` and `resume`: not in the specification, but in every runtime.
#include "src/container/pause.h"

#include "src/cli/command_options.h"
#include "src/cli/commands.h"

namespace ocirt::cli {
namespace {

template <Result<> (*Act)(const container::Store&, const std::string&)>
Result<int> act(Call& call, NoOptions&, std::span<const std::string_view>) {
  container::Store store = TRY(store_of(call));
  TRY(Act(store, call.id));
  return 0;
}

}  // namespace

constinit const Command kPauseCommand = {
    .name = "pause",
    .arguments = "ID",
    .summary = "Stops all processes of a container where they are",
    .fewest = 1,
    .most = 1,
    .run = run<NoOptions, act<container::pause>>,
};

constinit const Command kResumeCommand = {
    .name = "resume",
    .arguments = "ID",
    .summary = "Lets the processes of a paused container go on",
    .fewest = 1,
    .most = 1,
    .run = run<NoOptions, act<container::resume>>,
};

}  // namespace ocirt::cli
