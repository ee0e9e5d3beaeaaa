// logs: what containers have said, read from the pod's directory without asking the shim.
#include "src/podcli/logs.h"

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "src/base/text.h"
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

bool has_ended(const pod::Layout& layout, const std::vector<std::string>& containers,
               pod::PodStatus* last) {
  Result<std::string> text = sys::read_file(sys::kCwd, layout.state_json());
  if (!text) return !sys::exists(sys::kCwd, layout.directory());
  const Result<pod::State> state = pod::read_state(*text);
  if (!state) return false;
  const pod::PodStatus& status = state->status;
  if (last != nullptr) *last = status;
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

}  // namespace

constinit const Command kLogs{.name = "logs",
                              .arguments = "POD[/CONTAINER]",
                              .summary = "Show what containers have said",
                              .options = kLogOptions,
                              .fewest = 1,
                              .most = 1,
                              .run = run<LogOptions, logs>};
}  // namespace ocirt::podcli
