#include "src/cli/commands.h"

namespace ocirt::cli {
namespace {

// Commands that engines probe for (`checkpoint --help` must succeed where it works). An honest
// refusal makes them say that the runtime cannot do it, where "unknown command" would be a mistake
// of theirs.
constexpr Command kCheckpoint = {.name = "checkpoint"};
constexpr Command kRestore = {.name = "restore"};

constexpr const Command* kCommands[] = {
    &kCreateCommand,   &kStartCommand,  &kRunCommand,    &kExecCommand,   &kStateCommand,
    &kListCommand,     &kPsCommand,     &kKillCommand,   &kDeleteCommand, &kPauseCommand,
    &kResumeCommand,   &kUpdateCommand, &kEventsCommand, &kMountsCommand, &kSpecCommand,
    &kFeaturesCommand, &kCheckpoint,    &kRestore,
};

}  // namespace

std::span<const Command* const> commands() { return kCommands; }

const Command* find_command(std::string_view name) {
  for (const Command* command : kCommands) {
    if (command->name == name) return command;
  }
  return nullptr;
}

}  // namespace ocirt::cli
