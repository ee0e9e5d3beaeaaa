// events: what has happened in pods, as their shims write it down.
#include <algorithm>

#include "src/base/text.h"
#include "src/cli/table.h"
#include "src/pod/event.h"
#include "src/podcli/pods.h"
#include "src/podcli/rotated_file.h"
#include "src/sys/changes.h"
#include "src/sys/file.h"
#include "src/sys/watch.h"

namespace ocirt::podcli {
namespace {

struct EventOptions {
  bool follow = false;
  Format format = Format::table;
};
constexpr Option kEventOptions[] = {
    toggle<&EventOptions::follow>("follow", 0, "go on until the pods are removed"),
    cli::choice<&EventOptions::format, kFormats>("format", 'f', "FORMAT",
                                                 "json, a line each, or table (the default)"),
};

// The events of one pod, from where the last reading ended.
class EventReader {
 public:
  explicit EventReader(std::string path) : file_(std::move(path)) {}

  Result<> read(std::vector<std::string>& lines) {
    TRY(file_.read(text_));
    const size_t end = text_.rfind('\n') + 1;  // what follows is being written
    std::string_view whole = std::string_view(text_).substr(0, end);
    while (auto line = next_line(whole)) lines.emplace_back(*line);
    text_.erase(0, end);
    return {};
  }

 private:
  RotatedFile file_;
  std::string text_;
};

void print_event(const std::string& line, Format format) {
  if (format == Format::json) return sys::print(line + "\n");
  const Result<pod::Event> event = pod::read_event(line);
  if (!event) return sys::print(line + "\n");
  std::string text = cat(event->time.substr(0, 19), "Z  ", event->pod);
  if (!event->container.empty()) text += cat("/", event->container);
  text += cat("  ", oci::to_string(event->type));
  if (event->exit_code && !event->message.contains("exit code"))
    text += cat("  exit code ", *event->exit_code);
  if (event->count.value_or(1) > 1) text += cat("  (x", *event->count, ")");
  if (!event->message.empty()) text += cat("  ", event->message);
  sys::print(text + "\n");
}

Result<int> events(Call& call, EventOptions& options, std::span<const std::string_view> arguments) {
  const bool all = arguments.empty();
  sys::Changes changes = TRY(sys::Changes::open());
  oci::Map<EventReader> readers;
  if (options.follow && sys::is_directory(sys::kCwd, call.globals.root)) {
    TRY(changes.watch_directory(call.globals.root));
  }
  for (;;) {
    std::vector<std::string> pods;
    if (all) {
      pods = TRY(list_pods(call.globals));
    } else if (readers.empty()) {
      pods = TRY(find_pods(call.globals, arguments, false));
    }
    for (const std::string& name : pods) {
      if (readers.find(name) != nullptr) continue;
      const pod::Layout layout = layout_of(call.globals, name);
      if (options.follow) (void)changes.watch_directory(layout.directory());
      readers.set(name, EventReader(layout.events()));
    }
    std::vector<std::string> lines;
    for (auto& [name, reader] : readers) TRY(reader.read(lines));
    // A line begins with its time, so that those of all pods come in order.
    std::ranges::sort(lines);
    for (const std::string& line : lines) print_event(line, options.format);
    if (!options.follow) return 0;
    std::erase_if(readers, [&](const auto& entry) {
      return !sys::exists(sys::kCwd, layout_of(call.globals, entry.first).directory());
    });
    if (!all && readers.empty()) return 0;
    sys::Watched watched[] = {{.fd = changes.fd()}};
    TRY(sys::wait_for_any(watched, -1));
    changes.drain();
  }
}

}  // namespace

constinit const Command kEvents{.name = "events",
                                .arguments = "[POD...]",
                                .summary = "Show what has happened in pods",
                                .options = kEventOptions,
                                .most = kAny,
                                .run = run<EventOptions, events>};

}  // namespace ocirt::podcli
