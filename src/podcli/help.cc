// Help texts, made from the option tables so that they cannot say anything else than the parser
// does.
#include <algorithm>
#include <vector>

#include "src/podcli/command.h"

namespace ocirt::podcli {
namespace {

void append_row(std::string& out, std::string_view label, size_t width, std::string_view text) {
  out += cat("  ", label);
  out.append(width - std::min(width, label.size()) + 2, ' ');
  out += cat(text, "\n");
}

void append_options(std::string& out, std::string_view title, std::span<const Option> options) {
  std::vector<std::string> labels;
  size_t width = 0;
  for (const Option& row : options) {
    std::string label = row.letter != 0 ? cat("-", row.letter, ", ") : "    ";
    label += cat("--", row.name);
    if (!row.placeholder.empty()) label += cat(" ", row.placeholder);
    width = std::max(width, label.size());
    labels.push_back(std::move(label));
  }
  constexpr std::string_view kHelp = "-h, --help";
  width = std::max(width, kHelp.size());
  out += cat("\n", title, ":\n");
  for (size_t i = 0; i < options.size(); ++i) append_row(out, labels[i], width, options[i].help);
  append_row(out, kHelp, width, "show this text");
}

}  // namespace

std::string command_help(const Command& command) {
  std::string out = cat("Usage: ocirt-pod [GLOBAL OPTIONS] ", command.name, " [OPTIONS]");
  if (!command.arguments.empty()) out += cat(" ", command.arguments);
  out += cat("\n\n", command.summary, ".\n");
  append_options(out, "Options", command.options);
  return out;
}

std::string program_help() {
  std::string out =
      "Usage: ocirt-pod [GLOBAL OPTIONS] COMMAND [OPTIONS] [ARGUMENTS]\n\n"
      "Runs Kubernetes pods on this machine, without an engine.\n\n"
      "Commands:\n";
  size_t width = 0;
  for (const Command* command : commands()) width = std::max(width, command->name.size());
  for (const Command* command : commands()) {
    append_row(out, command->name, width, command->summary);
  }
  append_options(out, "Global options, before the command", global_options());
  out +=
      "\nPods and containers may be abbreviated where that is unique; POD/CONTAINER names one.\n";
  return out;
}

}  // namespace ocirt::podcli
