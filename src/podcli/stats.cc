// stats: what the containers use, as a table that stays up to date.
#include <algorithm>
#include <chrono>

#include "src/base/text.h"
#include "src/cli/table.h"
#include "src/podcli/json.h"
#include "src/podcli/metrics.h"
#include "src/podcli/pods.h"
#include "src/podcli/shim.h"
#include "src/sys/file.h"
#include "src/sys/terminal.h"
#include "src/sys/watch.h"

namespace ocirt::podcli {
namespace {

struct StatsOptions {
  bool no_stream = false;
  Format format = Format::table;
};
constexpr Option kStatsOptions[] = {
    toggle<&StatsOptions::no_stream>("no-stream", 0, "once"),
    cli::choice<&StatsOptions::format, kFormats>("format", 'f', "FORMAT",
                                                 "json (with --no-stream) or table (the default)"),
};

struct Figures {
  std::string pod, container;
  Metrics used;
};

Result<std::vector<Figures>> measure(const Globals& globals, const std::vector<std::string>& pods) {
  std::vector<Figures> all;
  for (const std::string& name : pods) {
    Result<Shim> shim = Shim::reach(globals, name);
    if (!shim) continue;  // removed meanwhile
    const Result<pod::Pod> pod = read_pod_json(layout_of(globals, name));
    if (pod && pod->cgroup.empty()) {
      return refuse(cat("not supported: pod ", name, " has no cgroup, so nothing counts what its ",
                        "containers use"));
    }
    const pod::PodStatus status = TRY(within(cat("pod ", name), shim->status()));
    for (const pod::ContainerStatus& container : status.containers) {
      if (!container.state.running) continue;
      Result<Metrics> used = shim->stats(container.name);
      if (!used) continue;  // it has just ended
      all.push_back({.pod = name, .container = container.name, .used = *used});
    }
  }
  return all;
}

// "12.3MiB"; what has no limit is shown so.
std::string bytes_text(uint64_t bytes) {
  constexpr std::string_view kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  size_t unit = 0;
  uint64_t tenths = bytes * 10;
  if (bytes > (uint64_t{1} << 50)) return "-";
  while (tenths >= 10'240 && unit + 1 < std::size(kUnits)) {
    tenths /= 1024;
    ++unit;
  }
  return unit == 0 ? cat(bytes, "B") : cat(tenths / 10, ".", tenths % 10, kUnits[unit]);
}

std::string table_of(const std::vector<Figures>& before, const std::vector<Figures>& now,
                     std::chrono::nanoseconds between) {
  cli::Table table({"POD", "CONTAINER", "CPU", "MEMORY", "LIMIT", "PIDS"});
  for (const Figures& figures : now) {
    const auto earlier = std::ranges::find_if(before, [&](const Figures& old) {
      return old.pod == figures.pod && old.container == figures.container &&
             old.used.cpu <= figures.used.cpu;
    });
    std::string cpu = "-";
    if (earlier != before.end() && between.count() > 0) {
      const uint64_t tenths =
          (figures.used.cpu - earlier->used.cpu) * 1000 / static_cast<uint64_t>(between.count());
      cpu = cat(tenths / 10, ".", tenths % 10, "%");
    }
    table.add({figures.pod, figures.container, cpu, bytes_text(figures.used.memory),
               figures.used.memory_limit == 0 ? "-" : bytes_text(figures.used.memory_limit),
               cat(figures.used.pids)});
  }
  return table.text();
}

Result<int> stats(Call& call, StatsOptions& options, std::span<const std::string_view> arguments) {
  constexpr int kIntervalMs = 1000;
  std::vector<Figures> before;
  auto then = std::chrono::steady_clock::now();
  const bool screen = sys::is_terminal(Fd(1));
  if (options.format == Format::json && !options.no_stream) {
    return cli::usage_error("--format json needs --no-stream");
  }
  for (unsigned round = 0;; ++round) {
    const std::vector<std::string> pods =
        TRY(find_pods(call.globals, arguments, arguments.empty()));
    std::vector<Figures> now = TRY(measure(call.globals, pods));
    if (options.format == Format::json) {
      std::string json = "[";
      for (const Figures& figures : now) {
        json += cat(json.size() == 1 ? "" : ",", "{\"pod\":", json_text(figures.pod),
                    ",\"container\":", json_text(figures.container),
                    ",\"stats\":", metrics_json(figures.used), "}");
      }
      sys::print(pretty_json(json + "]"));
      return 0;
    }
    const auto moment = std::chrono::steady_clock::now();
    // The share of a CPU takes two measurements.
    if (round > 0) {
      sys::print(cat(screen && !options.no_stream ? "\x1b[H\x1b[2J" : "",
                     table_of(before, now, moment - then)));
      if (options.no_stream) return 0;
    }
    before = std::move(now);
    then = moment;
    TRY(sys::wait_for_any({}, kIntervalMs));
  }
}

}  // namespace

constinit const Command kStats{.name = "stats",
                               .arguments = "[POD...]",
                               .summary = "Show what containers use, once a second",
                               .options = kStatsOptions,
                               .most = kAny,
                               .run = run<StatsOptions, stats>};

}  // namespace ocirt::podcli
