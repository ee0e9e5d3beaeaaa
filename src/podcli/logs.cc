// logs and events: what the shim writes into the pod's directory, read without asking it.
#include "src/podcli/logs.h"

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "src/base/text.h"
#include "src/cli/table.h"
#include "src/pod/event.h"
#include "src/pod/state.h"
#include "src/podcli/log_follower.h"
#include "src/podcli/pods.h"
#include "src/podcli/shim.h"
#include "src/sys/changes.h"
#include "src/sys/file.h"
#include "src/sys/watch.h"

namespace ocirt::podcli {
namespace {

struct LogOptions {
  bool follow = false;
  std::optional<uint32_t> tail;
  std::vector<std::string> containers;
  bool timestamps = false;
};
constexpr Option kLogOptions[] = {
    toggle<&LogOptions::follow>("follow", 'f', "go on until the pod has ended"),
    option<&LogOptions::tail>("tail", 'n', "LINES",
                              "only so many of the last lines of each container"),
    option<&LogOptions::containers>("container", 'c', "CONTAINER",
                                    "only of this one; can be repeated (default: all)"),
    toggle<&LogOptions::timestamps>("timestamps", 't', "when each line was written"),
};

}  // namespace

bool has_ended(const pod::Layout& layout, const std::vector<std::string>& containers) {
  Result<std::string> text = sys::read_file(sys::kCwd, layout.state_json());
  if (!text) return !sys::exists(sys::kCwd, layout.directory());
  const Result<pod::State> state = pod::read_state(*text);
  if (!state) return false;
  const pod::PodStatus& status = state->status;
  if (status.phase == pod::Phase::kFailed || status.phase == pod::Phase::kSucceeded) return true;
  // Of a container that is not restarted, its end is the end.
  return std::ranges::all_of(containers, [&](const std::string& name) {
    const pod::ContainerStatus* container = status.find(name);
    if (container == nullptr || !container->state.terminated) return false;
    const auto index = static_cast<size_t>(container - status.containers.data());
    return index < state->containers.size() &&
           state->containers[index].step == pod::Step::kFinished;
  });
}

namespace {

Result<std::vector<std::string>> chosen(const pod::Pod& pod, const Target& target,
                                        const LogOptions& options) {
  std::vector<std::string> wanted = options.containers;
  if (!target.container.empty()) wanted.push_back(target.container);
  std::vector<std::string> names;
  for (const std::string& text : wanted) {
    std::string name = TRY(container_of(pod, text));
    if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
  }
  if (!wanted.empty()) return names;
  for (const pod::Container& container : pod.containers) names.push_back(container.name);
  return names;
}

Result<int> logs(Call& call, LogOptions& options, std::span<const std::string_view> arguments) {
  const Target target = TRY(find_target(call.globals, arguments[0]));
  const pod::Layout layout = layout_of(call.globals, target.pod);
  const pod::Pod pod = TRY(read_pod_json(layout));
  const std::vector<std::string> names = TRY(chosen(pod, target, options));

  // Watched before anything is read, or what is written in between would be seen with the next
  // line.
  sys::Changes changes = TRY(sys::Changes::open());
  if (options.follow) {
    TRY(changes.watch_directory(layout.directory()));
    if (Result<> watched = changes.watch_directory(layout.logs());
        !watched && watched.error().code != ENOENT) {
      return std::unexpected(watched.error());
    }
  }
  std::vector<LogFollower> followers;
  std::string out;
  for (const std::string& name : names) {
    LogStyle style{.timestamps = options.timestamps};
    if (names.size() > 1) style.prefix = cat("[", name, "] ");
    LogFollower& follower = followers.emplace_back(layout.log(name), std::move(style));
    TRY(follower.read_past(options.tail, out));
  }
  sys::print(out);
  while (options.follow) {
    const bool last = has_ended(layout, names);
    out.clear();
    for (LogFollower& follower : followers) TRY(follower.read_more(out));
    sys::print(out);
    if (last) break;
    sys::Watched watched[] = {{.fd = changes.fd()}};
    TRY(sys::wait_for_any(watched, -1));
    changes.drain();
    (void)changes.watch_directory(layout.logs());  // it may have come to be meanwhile
  }
  return 0;
}

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
  explicit EventReader(std::string path) : path_(std::move(path)) {}

  Result<> read(std::vector<std::string>& lines) {
    Result<UniqueFd> file = sys::open(sys::kCwd, path_, O_RDONLY | O_NOFOLLOW);
    if (!file && file.error().code == ENOENT) return {};
    UniqueFd opened = TRY(std::move(file));
    const struct stat info = TRY(sys::stat_fd(opened, path_));
    if (info.st_ino != inode_ || static_cast<size_t>(info.st_size) < read_)
      read_ = 0;  // begun anew
    inode_ = info.st_ino;
    const std::string text = TRY(sys::read_all(opened, path_, 64 << 20));
    const size_t end = text.rfind('\n') == std::string_view::npos ? 0 : text.rfind('\n') + 1;
    if (end <= read_) return {};
    std::string_view fresh = std::string_view(text).substr(read_, end - read_);
    read_ = end;
    while (auto line = next_line(fresh)) lines.emplace_back(*line);
    return {};
  }

 private:
  std::string path_;
  ino_t inode_ = 0;
  size_t read_ = 0;
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

constinit const Command kLogs{.name = "logs",
                              .arguments = "POD[/CONTAINER]",
                              .summary = "Show what containers have said",
                              .options = kLogOptions,
                              .fewest = 1,
                              .most = 1,
                              .run = run<LogOptions, logs>};
constinit const Command kEvents{.name = "events",
                                .arguments = "[POD...]",
                                .summary = "Show what has happened in pods",
                                .options = kEventOptions,
                                .most = kAny,
                                .run = run<EventOptions, events>};

}  // namespace ocirt::podcli
