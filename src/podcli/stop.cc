// stop, restart, rm, kill, wait: verbs that end pods, or wait for their end.
#include <cerrno>

#include "src/base/text.h"
#include "src/linux/signals.h"
#include "src/podcli/creation.h"
#include "src/podcli/pods.h"
#include "src/podcli/shim.h"
#include "src/sys/file.h"

namespace ocirt::podcli {
namespace {

struct StopOptions {
  std::optional<uint32_t> time;
  bool all = false;
};
constexpr Option kStopOptions[] = {
    option<&StopOptions::time>("time", 't', "SECONDS",
                               "from asking to killing (default: the pod's grace period)"),
    toggle<&StopOptions::all>("all", 'a', "every pod"),
};

Result<> stop_one(const Globals& globals, const std::string& name, const StopOptions& options) {
  const pod::Pod pod = TRY(read_pod_json(layout_of(globals, name)));
  Shim shim = TRY(Shim::reach(globals, name));
  return shim.stop(options.time.value_or(pod.grace_seconds));
}

Result<int> stop_pods(Call& call, StopOptions& options,
                      std::span<const std::string_view> arguments) {
  for (const std::string& name : TRY(find_pods(call.globals, arguments, options.all))) {
    TRY(within(cat("pod ", name), stop_one(call.globals, name, options)));
    sys::print(cat(name, "\n"));
  }
  return 0;
}

Result<> restart_one(const Globals& globals, const std::string& name, const StopOptions& options) {
  const Manifest manifest = TRY(kept_manifest(globals, name));
  // Before the old pod goes: is the new one possible at all?
  TRY(resolve_manifest(globals, manifest, false, nullptr));
  TRY(stop_one(globals, name, options));
  Shim shim = TRY(Shim::reach(globals, name));
  TRY(shim.shut_down());
  TRY(make_pod(globals, manifest, true));
  return {};
}

Result<int> restart_pods(Call& call, StopOptions& options,
                         std::span<const std::string_view> arguments) {
  for (const std::string& name : TRY(find_pods(call.globals, arguments, options.all))) {
    TRY(within(cat("pod ", name), restart_one(call.globals, name, options)));
    sys::print(cat(name, "\n"));
  }
  return 0;
}

struct RmOptions {
  bool force = false;
  bool all = false;
  std::optional<uint32_t> time;
};
constexpr Option kRmOptions[] = {
    toggle<&RmOptions::force>("force", 'f', "stop pods that run; no pod of that name is no error"),
    option<&RmOptions::time>("time", 't', "SECONDS",
                             "with --force: from asking to killing (default: the grace period)"),
    toggle<&RmOptions::all>("all", 'a', "every pod"),
};

Result<> remove_one(const Globals& globals, const std::string& name, const RmOptions& options) {
  Result<Shim> shim = Shim::reach(globals, name);
  // Where no shim can take it over, everything is still taken away by what the directory says.
  if (!shim)
    return options.force ? Shim::remove(globals, name) : Result<>(std::unexpected(shim.error()));
  if (options.force) {
    if (options.time) TRY(shim->stop(*options.time));
    return shim->shut_down();
  }
  const pod::PodStatus status = TRY(shim->status());
  for (const pod::ContainerStatus& container : status.containers) {
    if (container.state.running) {
      return refuse(cat("container ", container.name, " is running; stop the pod, or use --force"));
    }
  }
  return shim->shut_down();
}

Result<int> remove_pods(Call& call, RmOptions& options,
                        std::span<const std::string_view> arguments) {
  sweep(call.globals);
  std::vector<std::string_view> known;
  for (std::string_view argument : arguments) {
    Result<std::string> found = find_pod(call.globals, argument);
    if (!found && options.force && found.error().code == ENOENT) continue;
    TRY(std::move(found));
    known.push_back(argument);
  }
  if (known.empty() && !arguments.empty() && !options.all) return 0;
  for (const std::string& name : TRY(find_pods(call.globals, known, options.all))) {
    TRY(within(cat("pod ", name), remove_one(call.globals, name, options)));
    sys::print(cat(name, "\n"));
  }
  return 0;
}

struct KillOptions {
  std::string signal = "KILL";
};
constexpr Option kKillOptions[] = {
    option<&KillOptions::signal>("signal", 's', "SIGNAL", "which one (default: KILL)"),
};

Result<int> kill_pod(Call& call, KillOptions& options,
                     std::span<const std::string_view> arguments) {
  const int signal = TRY(signal_number(options.signal));
  const Target target = TRY(find_target(call.globals, arguments[0]));
  Shim shim = TRY(Shim::reach(call.globals, target.pod));
  const pod::Pod pod = TRY(read_pod_json(layout_of(call.globals, target.pod)));
  if (!target.container.empty()) {
    const std::string name = TRY(container_of(pod, target.container));
    TRY(within(cat("container ", name), shim.kill(name, signal)));
    return 0;
  }
  const pod::PodStatus status = TRY(shim.status());
  size_t reached = 0;
  for (const pod::ContainerStatus& container : status.containers) {
    if (!container.state.running) continue;
    TRY(within(cat("container ", container.name), shim.kill(container.name, signal)));
    ++reached;
  }
  if (reached == 0) return refuse(cat("no container of pod ", target.pod, " is running"));
  return 0;
}

struct WaitOptions {};

// Like a shell's wait: the status of the last one.
Result<int> wait_for_pods(Call& call, WaitOptions&, std::span<const std::string_view> arguments) {
  int status = 0;
  for (std::string_view argument : arguments) {
    const std::string name = TRY(find_pod(call.globals, argument));
    Shim shim = TRY(Shim::reach(call.globals, name));
    const bool success = TRY(within(cat("pod ", name), shim.wait()));
    sys::print(cat(name, "\t", success ? "Succeeded" : "Failed", "\n"));
    status = success ? 0 : 1;
  }
  return status;
}

}  // namespace

constinit const Command kStop{
    .name = "stop",
    .arguments = "POD...",
    .summary = "End the containers of pods; the pods stay, and can be started anew",
    .options = kStopOptions,
    .most = kAny,
    .run = run<StopOptions, stop_pods>};
constinit const Command kRestart{
    .name = "restart",
    .arguments = "POD...",
    .summary = "Stop pods and make them anew from the files they were made of",
    .options = kStopOptions,
    .most = kAny,
    .run = run<StopOptions, restart_pods>};
constinit const Command kRm{.name = "rm",
                            .arguments = "POD...",
                            .summary = "Remove pods with everything that was made for them",
                            .options = kRmOptions,
                            .most = kAny,
                            .run = run<RmOptions, remove_pods>};
constinit const Command kKill{.name = "kill",
                              .arguments = "POD[/CONTAINER]",
                              .summary = "Send a signal to a container, or to all of a pod",
                              .options = kKillOptions,
                              .fewest = 1,
                              .most = 1,
                              .run = run<KillOptions, kill_pod>};
constinit const Command kWait{
    .name = "wait",
    .arguments = "POD...",
    .summary = "Wait until pods have ended; status 0 if the last one succeeded",
    .fewest = 1,
    .most = kAny,
    .run = run<WaitOptions, wait_for_pods>};

}  // namespace ocirt::podcli
