// stop, restart, rm, kill, wait: verbs that end pods, or wait for their end.
#include "src/base/text.h"
#include "src/linux/signals.h"
#include "src/podcli/batch.h"
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

Result<ShimCall> stop_of(const Globals& globals, const std::string& name,
                         const std::optional<uint32_t>& time) {
  const pod::Pod pod = TRY(read_pod_json(layout_of(globals, name)));
  return stop_call(name, time.value_or(pod.grace_seconds));
}

Result<> without_value(const Result<std::string>& answer) {
  if (!answer) return std::unexpected(answer.error());
  return {};
}

Result<int> stop_pods(Call& call, StopOptions& options,
                      std::span<const std::string_view> arguments) {
  const std::unique_ptr<Batch> batch = TRY(Batch::open(call));
  for (const std::string& name : TRY(batch->find(arguments, options.all))) {
    Result<ShimCall> stop = stop_of(call.globals, name, options.time);
    if (!stop) {
      batch->conclude(name, std::unexpected(stop.error()));
      continue;
    }
    batch->ask(name, std::move(*stop), [&batch = *batch, name](const Result<std::string>& done) {
      batch.conclude(name, without_value(done));
    });
  }
  return batch->run();
}

Result<> restart_one(Batch& batch, const std::string& name, const StopOptions& options) {
  const Manifest manifest = TRY(kept_manifest(batch.globals(), name));
  // Before the old pod goes: is the new one possible at all?
  TRY(resolve_manifest(batch.globals(), manifest, false, nullptr));
  ShimCall stop = TRY(stop_of(batch.globals(), name, options.time));
  batch.ask(name, std::move(stop), [&batch, name](const Result<std::string>& stopped) {
    Result<> anew = stopped ? make_anew(batch, name) : without_value(stopped);
    if (!anew) batch.conclude(name, anew);
  });
  return {};
}

Result<int> restart_pods(Call& call, StopOptions& options,
                         std::span<const std::string_view> arguments) {
  const std::unique_ptr<Batch> batch = TRY(Batch::open(call));
  for (const std::string& name : TRY(batch->find(arguments, options.all))) {
    if (Result<> begun = restart_one(*batch, name, options); !begun) batch->conclude(name, begun);
  }
  return batch->run();
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

// Somebody else may remove it at the same time: gone is gone.
Result<> unless_gone(const Batch& batch, const std::string& name, Result<> done) {
  const pod::Layout layout = layout_of(batch.globals(), name);
  const bool gone =
      sys::is_absent(sys::kCwd, layout.directory()) && sys::is_absent(sys::kCwd, layout.removed());
  return gone ? Result<>() : std::move(done);
}

void remove_now(Batch& batch, const std::string& name) {
  batch.ask(name, shut_down_call(name), [&batch, name](const Result<std::string>& done) {
    batch.conclude(name, unless_gone(batch, name, without_value(done)));
  });
}

Result<> remove_one(Batch& batch, const std::string& name, const RmOptions& options) {
  Result<Shim> shim = Shim::reach(batch.globals(), name);
  if (!shim) {
    if (!options.force) return std::unexpected(shim.error());
    // Where no shim can take it over, everything is still taken away by what the directory says.
    batch.conclude(name, unless_gone(batch, name, Shim::remove(batch.globals(), name)));
    return {};
  }
  if (options.force && options.time) {
    batch.ask(name, stop_call(name, *options.time),
              // One that is being removed cannot be stopped any more, but waited for.
              [&batch, name](const Result<std::string>&) { remove_now(batch, name); });
    return {};
  }
  if (!options.force) {
    const pod::PodStatus status = TRY(shim->status());
    for (const pod::ContainerStatus& container : status.containers) {
      if (!container.state.running) continue;
      return refuse(cat("container ", container.name, " is running; stop the pod, or use --force"));
    }
    // One whose containers wait to be restarted.
    if (status.phase == pod::Phase::kRunning)
      return refuse("it has not ended; stop the pod, or use --force");
  }
  remove_now(batch, name);
  return {};
}

Result<int> remove_pods(Call& call, RmOptions& options,
                        std::span<const std::string_view> arguments) {
  sweep(call.globals);
  const std::unique_ptr<Batch> batch = TRY(Batch::open(call));
  for (std::string_view name : arguments) {
    if (!options.force || !pod::is_dns_label(name)) continue;
    if (Result<> done = finish_removal(call.globals, name); !done)
      batch->conclude(std::string(name), done);
  }
  for (const std::string& name : TRY(batch->find(arguments, options.all, options.force))) {
    if (Result<> begun = remove_one(*batch, name, options); !begun) batch->conclude(name, begun);
  }
  return batch->run();
}

struct KillOptions {
  std::string signal = "KILL";
};
constexpr Option kKillOptions[] = {
    option<&KillOptions::signal>("signal", 's', "SIGNAL", "which one (default: KILL)"),
};

Result<> kill_target(const Globals& globals, std::string_view text, int signal) {
  const Target target = TRY(find_target(globals, text));
  Shim shim = TRY(Shim::reach(globals, target.pod));
  const pod::Pod pod = TRY(read_pod_json(layout_of(globals, target.pod)));
  if (!target.container.empty()) {
    const std::string name = TRY(container_of(pod, target.container));
    return within(cat("container ", name), shim.kill(name, signal));
  }
  const pod::PodStatus status = TRY(shim.status());
  size_t reached = 0;
  for (const pod::ContainerStatus& container : status.containers) {
    if (!container.state.running) continue;
    TRY(within(cat("container ", container.name), shim.kill(container.name, signal)));
    ++reached;
  }
  if (reached == 0) return refuse(cat("no container of pod ", target.pod, " is running"));
  return {};
}

// One after the other: nothing is waited for.
Result<int> kill_pods(Call& call, KillOptions& options,
                      std::span<const std::string_view> arguments) {
  const int signal = TRY(signal_number(options.signal));
  int status = 0;
  for (std::string_view argument : arguments) {
    Result<> killed = kill_target(call.globals, argument, signal);
    if (killed) continue;
    report(call, killed.error());
    status = 1;
  }
  return status;
}

struct WaitOptions {};

Result<int> wait_for_pods(Call& call, WaitOptions&, std::span<const std::string_view> arguments) {
  const std::unique_ptr<Batch> batch = TRY(Batch::open(call));
  bool all_succeeded = true;
  for (const std::string& name : TRY(batch->find(arguments, false))) {
    batch->ask(name, wait_call(name), [&, name](const Result<std::string>& answer) {
      Result<bool> success =
          answer ? whether_succeeded(*answer) : Result<bool>(std::unexpected(answer.error()));
      if (!success) return batch->conclude(name, std::unexpected(success.error()));
      sys::print(cat(name, "\t", *success ? "Succeeded" : "Failed", "\n"));
      all_succeeded &= *success;
    });
  }
  const int status = TRY(batch->run());
  return all_succeeded ? status : 1;
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
                              .arguments = "POD[/CONTAINER]...",
                              .summary = "Send a signal to containers, or to all of a pod",
                              .options = kKillOptions,
                              .fewest = 1,
                              .most = kAny,
                              .run = run<KillOptions, kill_pods>};
constinit const Command kWait{
    .name = "wait",
    .arguments = "POD...",
    .summary = "Wait until pods have ended; status 0 if all of them succeeded",
    .fewest = 1,
    .most = kAny,
    .run = run<WaitOptions, wait_for_pods>};

}  // namespace ocirt::podcli
