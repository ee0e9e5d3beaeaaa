// What a verb of ocirt-pod is: a row of the table in commands.cc.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "src/base/result.h"
#include "src/cli/options.h"

namespace ocirt::podcli {

using cli::Option;
using cli::option;
using cli::Order;
using cli::toggle;

struct Globals {
  std::string root;       // of the pods' directories
  std::string state_dir;  // of their upper layers
  std::string images;     // of unpacked images
  bool version = false;
};

struct Command;

struct Call {
  const Command& command;
  const Globals& globals;
  std::span<const char* const> words;  // behind the verb
};

struct Command {
  std::string_view name;
  std::string_view arguments = {};
  std::string_view summary = {};
  std::span<const Option> options = {};
  Order order = Order::any;
  size_t fewest = 0;
  size_t most = 0;
  // The exit status, or the error to be printed.
  Result<int> (*run)(Call& call) = {};
};

inline constexpr size_t kAny = static_cast<size_t>(-1);

// Reads the words by the command's rows and counts the arguments. Errors have code cli::kUsage.
Result<cli::Parsed> read_words(const Call& call, void* options);
int print_help(const Command& command);
// Prints what has gone wrong for one of several pods, of a verb that goes on with the others.
void report(const Call& call, const Error& error);

// Command::run of a function that gets its options and arguments in place.
template <class Options,
          Result<int> (*Function)(Call&, Options&, std::span<const std::string_view>)>
Result<int> run(Call& call) {
  Options options;
  cli::Parsed parsed = TRY(read_words(call, &options));
  if (parsed.help) return print_help(call.command);
  return Function(call, options, parsed.arguments);
}

// What is printed: a table for people, or JSON.
enum class Format : uint8_t { json, table };
inline constexpr Name<Format> kFormats[] = {{"json", Format::json}, {"table", Format::table}};
static_assert(sorted(kFormats));

std::span<const Command* const> commands();
std::span<const Option> global_options();
std::string command_help(const Command& command);
std::string program_help();

extern const Command kRun, kCreate, kStart, kStop, kRestart, kRm, kPs, kInspect, kLogs, kExec,
    kAttach, kKill, kStats, kTop, kPort, kWait, kEvents, kScale;

}  // namespace ocirt::podcli
