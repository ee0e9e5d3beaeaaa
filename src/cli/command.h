// What a command is: a row of the table in commands.cc.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "src/base/result.h"
#include "src/cli/options.h"
#include "src/container/options.h"
#include "src/container/store.h"
#include "src/container/warnings.h"

namespace ocirt::cli {

struct Command;

// One run of one command.
struct Call {
  const Command& command;
  const container::GlobalOptions& global;
  std::span<const char* const> words;  // what follows the command's name
  std::string id;                      // set when it is known, for error messages
  container::Warnings warnings;        // shown with --debug
  container::Warnings complaints;      // always shown on standard error; the command succeeds
};

// Who may call a command; `root` stands for an ordinary user too unless --rootless is false.
enum class Rights : uint8_t { anybody, root };

struct Command {
  std::string_view name;
  std::string_view arguments = {};  // in help texts: "ID [SIGNAL]"
  std::string_view summary = {};    // one sentence; empty: not listed
  std::span<const Option> options = {};
  Order order = Order::any;
  Rights rights = Rights::root;
  size_t fewest = 0;  // arguments
  size_t most = 0;
  int failure = 1;  // exit status when the command fails
  // The exit status, or the error to be printed. Absent: "not supported".
  Result<int> (*run)(Call& call) = {};
};

inline constexpr size_t kAny = static_cast<size_t>(-1);

// Reads the call's words by the command's rows into `options`, checks the number of arguments, and
// takes the one called ID as the id where the command has one. Errors have code kUsage.
Result<Parsed> read_words(Call& call, void* options);

// Whether the caller is who the command needs.
Result<> check_rights(const Call& call);

// Prints the command's help and returns its exit status.
int print_help(const Command& command);

// Command::run of a function that gets its options and arguments in place: reads the words, answers
// --help, checks the rights, calls the function.
template <class Options,
          Result<int> (*Function)(Call&, Options&, std::span<const std::string_view>)>
Result<int> run(Call& call) {
  Options options;
  Parsed parsed = TRY(read_words(call, &options));
  if (parsed.help) return print_help(call.command);
  TRY(check_rights(call));
  return Function(call, options, parsed.arguments);
}

// The state directory, for a command that needs the container `call.id`: where the directory is
// missing, that container does not exist (ENOENT).
Result<container::Store> store_of(const Call& call);

// The state directory, for a command about all containers. Nothing when it is missing and was not
// named by --root: no container was ever made.
Result<std::optional<container::Store>> store_if_any(const Call& call);

}  // namespace ocirt::cli
