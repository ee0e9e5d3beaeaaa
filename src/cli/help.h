// Help texts, made from the option tables so that they cannot say anything else than the parser
// does.
#pragma once

#include <span>
#include <string>

#include "src/cli/command.h"

namespace ocirt::cli {

// "Usage: ocirt create [OPTIONS] ID", what it does, its options.
std::string command_help(const Command& command);

// The usage, the commands, the options before the command.
std::string program_help(std::span<const Command* const> commands, std::span<const Option> options);

}  // namespace ocirt::cli
