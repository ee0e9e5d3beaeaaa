// Rules between the properties of `process` (config.md, "Process" and "Linux Process"); also for
// the document of `exec --process`.
#include <algorithm>

#include "oci-spec/json/text.h"
#include "oci-spec/validate.h"

namespace oci::rules {
namespace {

// "If rlimits contains duplicated entries with same type, the runtime MUST generate an error."
// setrlimit(2) refuses a soft limit above the hard one.
Finding check_rlimits(const std::vector<Rlimit>& rlimits, const Path& path) {
  std::vector<std::size_t> order(rlimits.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    order[i] = i;
    if (rlimits[i].soft > rlimits[i].hard) {
      return finding(path[i] / "soft", "must not be larger than the hard limit");
    }
  }
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const int compared = rlimits[a].type.compare(rlimits[b].type);
    return compared != 0 ? compared < 0 : a < b;
  });
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (rlimits[order[i]].type == rlimits[order[i - 1]].type) {
      return finding(path[order[i]] / "type", rlimits[order[i]].type + " is given more than once");
    }
  }
  return {};
}

// config.md, "scheduler"; sched_setattr(2).
Finding check_scheduler(const Scheduler& scheduler, const Path& path) {
  using enum SchedulerPolicy;
  if (scheduler.nice && (*scheduler.nice < -20 || *scheduler.nice > 19)) {
    return finding(path / "nice", "must be from -20 to 19");
  }
  if (scheduler.priority.value_or(0) != 0 && scheduler.policy != kFifo && scheduler.policy != kRr) {
    return finding(path / "priority", "is only for the policies SCHED_FIFO and SCHED_RR");
  }
  if (scheduler.policy == kDeadline) return {};
  const std::pair<std::string_view, std::optional<std::uint64_t>> times[] = {
      {"runtime", scheduler.runtime},
      {"deadline", scheduler.deadline},
      {"period", scheduler.period}};
  for (const auto& [name, value] : times) {
    if (value.value_or(0) != 0) {
      return finding(path / name, "is only for the policy SCHED_DEADLINE");
    }
  }
  return {};
}

// config.md, "Environment": "same semantics as IEEE Std 1003.1-2008's environ", which is
// NAME=value.
Finding check_environment(const std::vector<std::string>& env, const Path& path) {
  for (std::size_t i = 0; i < env.size(); ++i) {
    const std::size_t equals = env[i].find('=');
    if (equals != 0 && equals != std::string::npos) continue;
    return finding(path[i], "must have the form NAME=value, found " + json::quoted(env[i]));
  }
  return {};
}

}  // namespace

Finding check_process(const Process& process, const Path& path) {
  // "cwd ... This value MUST be an absolute path."
  if (!is_absolute(process.cwd)) return finding(path / "cwd", "must be an absolute path");
  // "args ... at least one entry is REQUIRED", as soon as there is a process.
  if (process.args.empty()) return finding(path / "args", "must have at least one element");
  OCI_CHECK(check_environment(process.env, path / "env"));
  OCI_CHECK(check_rlimits(process.rlimits, path / "rlimits"));
  // struct winsize has 16 bits for each. Ignored without a terminal.
  if (process.terminal.value_or(false) && process.console_size) {
    constexpr std::uint64_t kMaxSize = 0xFFFF;
    if (process.console_size->height > kMaxSize) {
      return finding(path / "consoleSize" / "height", "must be at most 65535");
    }
    if (process.console_size->width > kMaxSize) {
      return finding(path / "consoleSize" / "width", "must be at most 65535");
    }
  }
  // proc(5), /proc/pid/oom_score_adj.
  if (process.oom_score_adj && (*process.oom_score_adj < -1000 || *process.oom_score_adj > 1000)) {
    return finding(path / "oomScoreAdj", "must be from -1000 to 1000");
  }
  if (process.scheduler) OCI_CHECK(check_scheduler(*process.scheduler, path / "scheduler"));
  // ioprio_set(2): eight levels.
  if (process.io_priority) {
    const std::int32_t priority = process.io_priority->priority.value_or(0);
    if (priority < 0 || priority > 7) {
      return finding(path / "ioPriority" / "priority", "must be from 0 to 7");
    }
  }
  return {};
}

}  // namespace oci::rules
