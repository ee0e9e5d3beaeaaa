// The program `ocirt`: reads the command line, calls the library, and is the only place that
// reports errors. stdout carries answers only, and stderr is silent on success, because engines
// parse both.
#include <fcntl.h>
#include <signal.h>

#include <new>

#include "src/base/text.h"
#include "src/cli/commands.h"
#include "src/cli/globals.h"
#include "src/cli/help.h"
#include "src/cli/log.h"
#include "src/cli/version.h"
#include "src/container/timeline.h"
#include "src/sys/file.h"
#include "src/sys/process.h"

namespace ocirt::cli {
namespace {

// Without exceptions there is nobody to catch std::bad_alloc.
void out_of_memory() {
  sys::print_error("ocirt: out of memory\n");
  sys::exit_now(1);
}

// An error that belongs to a command: `create c1: mounts[3]: ...`.
int report(const Log& log, const Call& call, const Error& error) {
  bool is_usage = error.code == kUsage;
  if (is_usage) sys::print(cat("Incorrect Usage.\n\n", command_help(call.command)));
  std::string_view space = call.id.empty() ? "" : " ";
  log.error(cat(call.command.name, space, call.id, ": ", error.text));
  return is_usage ? 1 : call.command.failure;
}

int run_command(const Log& log, const Command& command, const container::GlobalOptions& global,
                std::span<const char* const> words) {
  Call call{.command = command,
            .global = global,
            .words = words,
            .id = {},
            .warnings = {},
            .complaints = {}};
  Result<int> done = command.run(call);
  for (const std::string& warning : call.warnings) log.warning(warning);
  for (const std::string& complaint : call.complaints) {
    sys::print_error(cat("ocirt: ", command.name, ": ", complaint, "\n"));
  }
  return done ? *done : report(log, call, done.error());
}

// The same with a timeline, for --trace.
int run_traced(const Log& log, const Command& command, container::GlobalOptions global,
               std::span<const char* const> words) {
  container::Timeline timeline{std::string(command.name)};
  global.timeline = &timeline;
  const int status = run_command(log, command, global, words);
  const std::string text = timeline.document();
  Result<UniqueFd> file = sys::open(sys::kCwd, global.trace, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  Result<> done = file ? sys::write_all(*file, global.trace, text)
                       : Result<>(std::unexpected(std::move(file).error()));
  if (done) return status;
  log.error(cat("--trace: ", done.error().text));
  return status != 0 ? status : 1;
}

int usage_failure(const Log& log, std::string_view reason) {
  sys::print(cat("Incorrect Usage.\n\n", program_help(commands(), global_options())));
  log.error(reason);
  return 1;
}

int not_supported(const Log& log, const Command& command) {
  log.error(cat("not supported: ", command.name));
  return 1;
}

int help(const Log& log, std::span<const std::string_view> topics) {
  if (topics.empty()) {
    sys::print(program_help(commands(), global_options()));
    return 0;
  }
  const Command* command = find_command(topics[0]);
  if (command == nullptr) return usage_failure(log, cat("unknown command ", quoted(topics[0])));
  return command->run == nullptr ? not_supported(log, *command) : print_help(*command);
}

int run_words(Log& log, std::span<const char* const> words) {
  GlobalArguments global;
  Result<Parsed> parsed = parse(global_options(), Order::options_first, &global, words);
  if (!parsed) return usage_failure(log, parsed.error().text);
  std::span<const std::string_view> arguments = parsed->arguments;
  if (parsed->help) return help(log, {});
  if (global.version) {
    sys::print(version_text());
    return 0;
  }
  if (global.root.empty()) global.root = default_root();
  if (global.rootless == container::Rootless::automatic && is_root_of_a_user())
    global.rootless = container::Rootless::yes;
  if (Result<> opened = log.open(global); !opened) {
    log.error(opened.error().text);
    return 1;
  }
  if (arguments.empty()) return usage_failure(log, "a command is missing");
  if (arguments[0] == "help") return help(log, arguments.subspan(1));
  const Command* command = find_command(arguments[0]);
  if (command == nullptr) {
    const std::string_view name = arguments[0];
    for (std::string_view word : arguments.subspan(1)) {
      if (word != "-h" && word != "--help") continue;
      return usage_failure(log, cat("No help topic for '", name, "': there is no such command"));
    }
    return usage_failure(log, cat("unknown command ", quoted(name)));
  }
  if (command->run == nullptr) return not_supported(log, *command);
  words = words.last(arguments.size() - 1);
  if (!global.trace.empty()) return run_traced(log, *command, global, words);
  return run_command(log, *command, global, words);
}

int run_program(std::span<const char* const> words) {
  Log log;
  const int status = run_words(log, words);
  const int code = sys::print_failure();
  if (status != 0 || code == 0) return status;
  log.error(cat("write standard output: ", errno_text(code)));
  return 1;
}

}  // namespace
}  // namespace ocirt::cli

int main(int argc, char** argv) {
  // Who ignores it has us ignore it too, and the kernel then keeps no exit status of our children.
  ::signal(SIGCHLD, SIG_DFL);
  std::set_new_handler(ocirt::cli::out_of_memory);
  ocirt::UniqueFd::close_in_groups();
  std::span<const char* const> words(argv, static_cast<size_t>(argc));
  return ocirt::cli::run_program(words.empty() ? words : words.subspan(1));
}
