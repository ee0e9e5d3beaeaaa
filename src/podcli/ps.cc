// ps, inspect, port, top, stats: verbs that look.
#include <algorithm>

#include "src/base/text.h"
#include "src/cli/table.h"
#include "src/podcli/age.h"
#include "src/podcli/json.h"
#include "src/podcli/pods.h"
#include "src/podcli/shim.h"
#include "src/sys/file.h"

namespace ocirt::podcli {
namespace {

struct PsOptions {
  bool all = false;
  bool quiet = false;
  Format format = Format::table;
};
constexpr Option kPsOptions[] = {
    toggle<&PsOptions::all>("all", 'a', "pods that have ended as well"),
    toggle<&PsOptions::quiet>("quiet", 'q', "names only"),
    cli::choice<&PsOptions::format, kFormats>("format", 'f', "FORMAT",
                                              "json or table (the default)"),
};

bool has_ended(const pod::PodStatus& status) {
  return status.phase == pod::Phase::kFailed || status.phase == pod::Phase::kSucceeded;
}

// The word that tells most: why a container waits or has failed, else the phase.
std::string status_word(const pod::PodStatus& status) {
  if (status.phase == pod::Phase::kRunning || status.phase == pod::Phase::kPending) {
    for (const pod::ContainerStatus& container : status.containers) {
      if (!container.state.waiting) continue;
      const pod::WaitingReason reason = container.state.waiting->reason;
      if (reason != pod::WaitingReason::kPodInitializing &&
          reason != pod::WaitingReason::kContainerCreating) {
        return std::string(oci::to_string(reason));
      }
    }
  }
  if (has_ended(status) && status.reason == pod::StopReason::kStopped) return "Stopped";
  return std::string(oci::to_string(status.phase));
}

struct Counts {
  size_t ready = 0, apps = 0;
  uint64_t restarts = 0;
};

Counts count(const pod::PodStatus& status) {
  Counts counts;
  for (const pod::ContainerStatus& container : status.containers) {
    counts.restarts += container.restart_count;
    if (container.role == pod::Role::kInit) continue;
    ++counts.apps;
    if (container.ready) ++counts.ready;
  }
  return counts;
}

Result<int> ps(Call& call, PsOptions& options, std::span<const std::string_view>) {
  cli::Table table({"NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP"});
  std::string json = "[";
  std::string names;
  int result = 0;
  for (const std::string& name : TRY(list_pods(call.globals))) {
    Result<PodView> view = look(call.globals, name);
    if (!view) {
      // One pod that cannot be reached must not hide the others.
      if (sys::is_absent(sys::kCwd, layout_of(call.globals, name).complete())) continue;
      sys::print_error(cat("ocirt-pod: ps: pod ", name, ": ", view.error().text, "\n"));
      result = 1;
      continue;
    }
    const pod::PodStatus& status = view->status;
    if (has_ended(status) && !options.all) continue;
    const Counts counts = count(status);
    std::string ips;
    for (const std::string& ip : status.ips) ips += cat(ips.empty() ? "" : ",", ip);
    table.add({name, cat(counts.ready, "/", counts.apps), status_word(status), cat(counts.restarts),
               age_of(status.started_at), ips.empty() ? "-" : ips});
    json += cat(json.size() == 1 ? "" : ",", pod::write_status(status));
    names += cat(name, "\n");
  }
  if (options.quiet) {
    sys::print(names);
  } else {
    sys::print(options.format == Format::json ? pretty_json(json + "]") : table.text());
  }
  return result;
}

struct InspectOptions {
  Format format = Format::json;
};
constexpr Option kInspectOptions[] = {
    cli::choice<&InspectOptions::format, kFormats>("format", 'f', "FORMAT",
                                                   "json (the default) or table"),
};

std::string state_text(const pod::ContainerState& state) {
  if (state.running) return cat("Running since ", state.running->started_at);
  if (state.waiting) {
    std::string text = cat("Waiting: ", oci::to_string(state.waiting->reason));
    if (!state.waiting->message.empty()) text += cat(": ", state.waiting->message);
    return text;
  }
  if (!state.terminated) return "-";
  return cat("Terminated: ", oci::to_string(state.terminated->reason), ", exit code ",
             state.terminated->exit_code);
}

Result<int> inspect(Call& call, InspectOptions& options,
                    std::span<const std::string_view> arguments) {
  std::string json = "[";
  for (std::string_view argument : arguments) {
    const std::string name = TRY(find_pod(call.globals, argument));
    const PodView view = TRY(look(call.globals, name));
    if (options.format == Format::table) {
      cli::Table table({"CONTAINER", "ROLE", "PID", "RESTARTS", "READY", "STATE"});
      for (const pod::ContainerStatus& container : view.status.containers) {
        table.add({container.name, std::string(oci::to_string(container.role)),
                   container.process.pid == 0 ? "-" : cat(container.process.pid),
                   cat(container.restart_count), container.ready ? "yes" : "no",
                   state_text(container.state)});
      }
      sys::print(table.text());
      continue;
    }
    json += cat(json.size() == 1 ? "" : ",", "{\"name\":", json_text(name),
                ",\"directory\":", json_text(view.layout.directory()),
                ",\"status\":", pod::write_status(view.status),
                ",\"resolved\":", pod::write_pod(view.pod), "}");
  }
  if (options.format == Format::json) sys::print(pretty_json(json + "]"));
  return 0;
}

struct FormatOptions {
  Format format = Format::table;
};
constexpr Option kFormatOptions[] = {
    cli::choice<&FormatOptions::format, kFormats>("format", 'f', "FORMAT",
                                                  "json or table (the default)"),
};

Result<int> port(Call& call, FormatOptions& options, std::span<const std::string_view> arguments) {
  const std::string name = TRY(find_pod(call.globals, arguments[0]));
  const pod::Pod pod = TRY(read_pod_json(layout_of(call.globals, name)));
  cli::Table table({"CONTAINER", "PORT", "PROTOCOL", "PUBLISHED"});
  std::string json = "[";
  for (const pod::Port& port : pod.network.ports) {
    const std::string published =
        port.host_port == 0 ? "-"
                            : cat(port.host_ip.empty() ? "*" : port.host_ip, ":", port.host_port);
    table.add({port.container, cat(port.container_port), std::string(oci::to_string(port.protocol)),
               published});
    json += cat(json.size() == 1 ? "" : ",", "{\"container\":", json_text(port.container),
                ",\"name\":", json_text(port.name), ",\"containerPort\":", port.container_port,
                ",\"protocol\":", json_text(oci::to_string(port.protocol)),
                ",\"hostIP\":", json_text(port.host_ip), ",\"hostPort\":", port.host_port, "}");
  }
  sys::print(options.format == Format::json ? pretty_json(json + "]") : table.text());
  return 0;
}

// The program of a process, from /proc/PID/cmdline; for kernel threads and the dead its number says
// all.
std::string command_of(uint32_t pid) {
  Result<std::string> text = sys::read_file(sys::kCwd, cat("/proc/", pid, "/cmdline"));
  if (!text) return "-";
  while (text->ends_with('\0')) text->pop_back();
  std::ranges::replace(*text, '\0', ' ');
  std::ranges::replace_if(*text, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, '?');
  return text->substr(0, 200);
}

Result<int> top(Call& call, FormatOptions& options, std::span<const std::string_view> arguments) {
  const Target target = TRY(find_target(call.globals, arguments[0]));
  const PodView view = TRY(look(call.globals, target.pod));
  std::string wanted;
  if (!target.container.empty()) wanted = TRY(container_of(view.pod, target.container));
  Shim shim = TRY(Shim::reach(call.globals, target.pod));
  cli::Table table({"CONTAINER", "PID", "COMMAND"});
  std::string json = "[";
  for (const pod::ContainerStatus& container : view.status.containers) {
    if (!container.state.running || (!wanted.empty() && container.name != wanted)) continue;
    for (uint32_t pid : TRY(within(cat("container ", container.name), shim.pids(container.name)))) {
      const std::string command = command_of(pid);
      table.add({container.name, cat(pid), command});
      json += cat(json.size() == 1 ? "" : ",", "{\"container\":", json_text(container.name),
                  ",\"pid\":", pid, ",\"command\":", json_text(command), "}");
    }
  }
  sys::print(options.format == Format::json ? pretty_json(json + "]") : table.text());
  return 0;
}

}  // namespace

constinit const Command kPs{
    .name = "ps", .summary = "List pods", .options = kPsOptions, .run = run<PsOptions, ps>};
constinit const Command kInspect{.name = "inspect",
                                 .arguments = "POD...",
                                 .summary = "Show everything that is known about pods",
                                 .options = kInspectOptions,
                                 .fewest = 1,
                                 .most = kAny,
                                 .run = run<InspectOptions, inspect>};
constinit const Command kPort{.name = "port",
                              .arguments = "POD",
                              .summary = "List the ports of a pod, and where they are published",
                              .options = kFormatOptions,
                              .fewest = 1,
                              .most = 1,
                              .run = run<FormatOptions, port>};
constinit const Command kTop{.name = "top",
                             .arguments = "POD[/CONTAINER]",
                             .summary = "List the processes of a pod, with the host's numbers",
                             .options = kFormatOptions,
                             .fewest = 1,
                             .most = 1,
                             .run = run<FormatOptions, top>};

}  // namespace ocirt::podcli
