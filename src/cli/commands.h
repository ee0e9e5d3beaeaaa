// The table of commands. Each row stands beside the command's implementation.
#pragma once

#include <span>
#include <string_view>

#include "src/cli/command.h"

namespace ocirt::cli {

// All commands in the order of the help text.
std::span<const Command* const> commands();

// nullptr when there is no such command.
const Command* find_command(std::string_view name);

extern const Command kCreateCommand, kRunCommand, kStartCommand, kExecCommand, kStateCommand,
    kListCommand, kPsCommand, kKillCommand, kDeleteCommand, kPauseCommand, kResumeCommand,
    kUpdateCommand, kEventsCommand, kMountsCommand, kSpecCommand, kFeaturesCommand;

}  // namespace ocirt::cli
