#include "src/cli/help.h"

#include <algorithm>
#include <vector>

namespace ocirt::cli {
namespace {

constexpr size_t kWidestLabel = 34;

// Two columns; a label that is too wide for the first has the line for itself.
void append_row(std::string& out, std::string_view label, size_t width, std::string_view text) {
  out += cat("  ", label);
  if (label.size() > width) {
    out += '\n';
    out.append(width + 4, ' ');
  } else {
    out.append(width - label.size() + 2, ' ');
  }
  out += cat(text, "\n");
}

std::string label_of(const Option& option) {
  std::string label = option.letter != 0 ? cat("-", option.letter, ", ") : "    ";
  label += cat("--", option.name);
  if (!option.placeholder.empty()) label += cat(" ", option.placeholder);
  return label;
}

void append_options(std::string& out, std::string_view title, std::span<const Option> options) {
  std::vector<std::string> labels;
  size_t width = 0;
  for (const Option& option : options) {
    labels.push_back(label_of(option));
    if (!option.help.empty() && labels.back().size() <= kWidestLabel) {
      width = std::max(width, labels.back().size());
    }
  }
  constexpr std::string_view kHelp = "-h, --help";
  width = std::max(width, kHelp.size());
  out += cat("\n", title, ":\n");
  for (size_t i = 0; i < options.size(); ++i) {
    if (!options[i].help.empty()) append_row(out, labels[i], width, options[i].help);
  }
  append_row(out, kHelp, width, "show this text");
}

}  // namespace

std::string command_help(const Command& command) {
  std::string out = cat("Usage: ocirt [GLOBAL OPTIONS] ", command.name, " [OPTIONS]");
  if (!command.arguments.empty()) out += cat(" ", command.arguments);
  out += cat("\n\n", command.summary, ".\n");
  append_options(out, "Options", command.options);
  return out;
}

std::string program_help(std::span<const Command* const> commands,
                         std::span<const Option> options) {
  std::string out =
      "Usage: ocirt [GLOBAL OPTIONS] COMMAND [OPTIONS] [ARGUMENTS]\n\n"
      "Runs containers from bundles as the Open Container Initiative specifies them.\n\n"
      "Commands:\n";
  size_t width = 0;
  for (const Command* command : commands) width = std::max(width, command->name.size());
  for (const Command* command : commands) {
    if (!command->summary.empty()) append_row(out, command->name, width, command->summary);
  }
  append_options(out, "Global options, before the command", options);
  out += "\n`ocirt help COMMAND` shows the options of a command.\n";
  return out;
}

}  // namespace ocirt::cli
