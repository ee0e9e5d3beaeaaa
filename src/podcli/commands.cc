#include "src/podcli/command.h"
#include "src/sys/file.h"

namespace ocirt::podcli {
namespace {

// The order of the help text: making, watching, acting.
constexpr const Command* kCommands[] = {
    &kRun,  &kCreate, &kStart, &kStop,   &kRestart, &kRm,   &kScale, &kPs,  &kInspect,
    &kLogs, &kEvents, &kExec,  &kAttach, &kKill,    &kWait, &kPort,  &kTop, &kStats,
};

constexpr Option kGlobalOptions[] = {
    option<&Globals::root>("root", 0, "DIR", "where the pods are (default: /run/ocirt/pods)"),
    option<&Globals::state_dir>("state-dir", 0, "DIR",
                                "where their files are kept (default: /var/lib/ocirt/pods)"),
    option<&Globals::images>("images", 0, "DIR",
                             "where images are unpacked (default: /var/lib/ocirt/images)"),
    toggle<&Globals::version>("version", 'v', "print the version"),
};

}  // namespace

std::span<const Command* const> commands() { return kCommands; }
std::span<const Option> global_options() { return kGlobalOptions; }

Result<cli::Parsed> read_words(const Call& call, void* options) {
  const Command& command = call.command;
  cli::Parsed parsed = TRY(cli::parse(command.options, command.order, options, call.words));
  if (parsed.help) return parsed;
  if (parsed.arguments.size() < command.fewest) {
    return cli::usage_error(cat("an argument is missing, expected ", command.arguments));
  }
  if (parsed.arguments.size() > command.most) {
    return cli::usage_error(cat("unexpected argument ", quoted(parsed.arguments[command.most])));
  }
  return parsed;
}

int print_help(const Command& command) {
  sys::print(command_help(command));
  return 0;
}

}  // namespace ocirt::podcli
