// The program `ocirt-pod`: reads the command line, runs the verb, and is the only place that
// reports errors, in one line each. Exit status: 0; 1 the verb failed; 2 the command line is wrong.
// That of `exec` is the program's: 126 it cannot be executed, 127 it is not there, 125 `exec`
// failed.
#include <signal.h>

#include <new>

#include "src/cli/version.h"
#include "src/pod/paths.h"
#include "src/podcli/command.h"
#include "src/sys/file.h"
#include "src/sys/process.h"

namespace ocirt::podcli {
namespace {

void out_of_memory() {
  sys::print_error("ocirt-pod: out of memory\n");
  sys::exit_now(1);
}

int complain(std::string_view text, int status) {
  sys::print_error(cat("ocirt-pod: ", text, "\n"));
  return status;
}

std::string_view environment(std::string_view name) {
  for (const char* const* entry = sys::own_environment(); *entry != nullptr; ++entry) {
    const std::string_view variable = *entry;
    if (variable.starts_with(name) && variable.substr(name.size()).starts_with('=')) {
      return variable.substr(name.size() + 1);
    }
  }
  return {};
}

// A pod's shim works in another directory than we do.
Result<> make_absolute(std::string& directory) {
  if (directory.starts_with('/')) return {};
  directory = cat(TRY(sys::read_link(sys::kCwd, "/proc/self/cwd")), "/", directory);
  return {};
}

Result<> set_defaults(Globals& globals) {
  const bool superuser = sys::effective_uid() == 0;
  const std::string_view home = environment("HOME");
  const std::string_view data = environment("XDG_DATA_HOME");
  std::string kept = "/var/lib/ocirt";
  if (!superuser && !home.empty()) kept = cat(home, "/.local/share/ocirt");
  if (!superuser && data.starts_with('/')) kept = cat(data, "/ocirt");
  globals.root = pod::pods_root(globals.root, environment("XDG_RUNTIME_DIR"), superuser);
  if (globals.state_dir.empty()) globals.state_dir = cat(kept, "/pods");
  if (globals.images.empty()) globals.images = cat(kept, "/images");
  for (std::string* directory : {&globals.root, &globals.state_dir, &globals.images})
    TRY(make_absolute(*directory));
  return {};
}

const Command* find_command(std::string_view name) {
  for (const Command* command : commands()) {
    if (command->name == name) return command;
  }
  return nullptr;
}

int help(std::span<const std::string_view> topics) {
  const Command* command = topics.empty() ? nullptr : find_command(topics[0]);
  if (!topics.empty() && command == nullptr) {
    return complain(cat("unknown command ", quoted(topics[0])), 2);
  }
  sys::print(command == nullptr ? program_help() : command_help(*command));
  return 0;
}

int run_program(std::span<const char* const> words) {
  Globals globals;
  Result<cli::Parsed> parsed = cli::parse(global_options(), Order::options_first, &globals, words);
  if (!parsed) return complain(parsed.error().text, 2);
  const std::span<const std::string_view> arguments = parsed->arguments;
  if (parsed->help) return help({});
  if (globals.version) {
    sys::print(cat("ocirt-pod version ", cli::version(), "\ncommit: ", cli::commit(), "\n"));
    return 0;
  }
  if (arguments.empty()) return complain("a command is missing; `ocirt-pod --help` lists them", 2);
  if (arguments[0] == "help") return help(arguments.subspan(1));
  const Command* command = find_command(arguments[0]);
  if (command == nullptr) return complain(cat("unknown command ", quoted(arguments[0])), 2);
  if (Result<> set = set_defaults(globals); !set) return complain(set.error().text, 1);
  Call call{.command = *command, .globals = globals, .words = words.last(arguments.size() - 1)};
  Result<int> done = command->run(call);
  if (done) return *done;
  const bool usage = done.error().code == cli::kUsage;
  const bool of_program = command == &kExec;
  return complain(cat(command->name, ": ", done.error().text,
                      usage ? cat("; see `ocirt-pod help ", command->name, "`") : ""),
                  usage        ? 2
                  : of_program ? 125
                               : 1);
}

}  // namespace
}  // namespace ocirt::podcli

int main(int argc, char** argv) {
  // Who ignores it has us ignore it too, and the kernel then keeps no exit status of our children.
  ::signal(SIGCHLD, SIG_DFL);
  std::set_new_handler(ocirt::podcli::out_of_memory);
  if (const auto ready = ocirt::sys::ensure_standard_streams(); !ready) {
    ocirt::sys::print_error(ocirt::cat("ocirt-pod: ", ready.error().text, "\n"));
    return 1;
  }
  std::span<const char* const> words(argv, static_cast<size_t>(argc));
  const int status = ocirt::podcli::run_program(words.empty() ? words : words.subspan(1));
  const int code = ocirt::sys::print_failure();
  if (status != 0 || code == 0) return status;
  ocirt::sys::print_error(
      ocirt::cat("ocirt-pod: write standard output: ", ocirt::errno_text(code), "\n"));
  return 1;
}
