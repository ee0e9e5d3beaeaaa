// `events`: statistics for containerd's and other callers' decoders, one JSON object per line.
#include "src/container/events.h"

#include "src/cli/command_options.h"
#include "src/cli/commands.h"
#include "src/cli/duration.h"
#include "src/sys/file.h"

namespace ocirt::cli {
namespace {

Result<> set_interval(EventsOptions& options, std::string_view text) {
  options.interval_ms = TRY(parse_duration(text));
  return {};
}

constexpr Option kOptions[] = {
    custom<EventsOptions, set_interval>("interval", 0, "TIME",
                                        "between two statistics, such as 500ms (default 5s)"),
    toggle<&EventsOptions::stats>("stats", 0, "print the statistics once and end"),
};

// A reader that has gone ends the events.
Result<> print_line(std::string_view line) {
  return sys::write_all(Fd(STDOUT_FILENO), "standard output", line);
}

Result<int> events(Call& call, EventsOptions& options, std::span<const std::string_view>) {
  container::Store store = TRY(store_of(call));
  if (options.stats) {
    std::string line = TRY(container::stats(store, call.id));
    TRY(print_line(line));
    return 0;
  }
  TRY(container::events(store, call.id, options.interval_ms, print_line));
  return 0;
}

}  // namespace

constinit const Command kEventsCommand = {
    .name = "events",
    .arguments = "ID",
    .summary = "Prints what a container uses, and when memory runs out, as JSON lines",
    .options = kOptions,
    .rights = Rights::anybody,
    .fewest = 1,
    .most = 1,
    .run = run<EventsOptions, events>,
};

}  // namespace ocirt::cli
