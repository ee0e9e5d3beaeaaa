// For tests: a pod's life with a world around it that answers. What happens is kept as words, so
// that a test reads as what was done in which order.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "src/base/text.h"
#include "src/pod/lifecycle.h"

namespace ocirt::pod {

constexpr int64_t kTestSecond = 1'000'000'000;

inline Container test_container(std::string name, Role role = Role::kApp,
                                RestartPolicy restart = RestartPolicy::kAlways) {
  Container container;
  container.name = std::move(name);
  container.role = role;
  container.bundle = "/bundles/" + container.name;
  container.restart = restart;
  return container;
}

inline Pod test_pod(std::vector<Container> containers) {
  Pod pod;
  pod.name = "p";
  pod.uid = "u1";
  pod.cgroup = "/ocirt/p";
  pod.containers = std::move(containers);
  return pod;
}

inline Probe test_probe(uint32_t period = 10, uint32_t failures = 3) {
  Probe probe;
  probe.tcp = TcpSocket{"", 80};
  probe.period_seconds = period;
  probe.failure_threshold = failures;
  return probe;
}

inline Handler test_handler() {
  Handler handler;
  handler.exec = {"/bin/true"};
  return handler;
}

class World {
 public:
  explicit World(Pod of) : pod(std::move(of)), life(pod) {
    Result<> valid = check_pod(pod);
    EXPECT_TRUE(valid) << valid.error().text;
  }
  World(const World&) = delete;

  // What is answered by itself, at once. The rest waits for the test.
  bool answers_create = true;
  bool answers_start = true;
  bool answers_remove = true;
  bool dies_by_kill = true;    // exit when killed
  bool dies_by_signal = true;  // and by the stop signal

  Pod pod;
  Lifecycle life;
  Instant now{.ns = 1000 * kTestSecond, .wall = {.tv_sec = 1'000'000, .tv_nsec = 0}};
  std::vector<std::string> log;  // of actions, without events
  std::vector<Event> events;

  // The words since the last call, separated by "; ".
  std::string done() {
    run();
    std::string out;
    for (const std::string& word : std::exchange(log, {}))
      out += cat(out.empty() ? "" : "; ", word);
    return out;
  }

  void start() { life.start(now), run(); }
  void exit(std::string_view name, int code) { end(name, {.code = code}); }
  void end(std::string_view name, Exit exit, bool oom = false) {
    life.exited(of(name), exit, oom, now), run();
  }
  void probe(std::string_view name, ProbeKind kind, bool success) {
    life.probed(of(name), kind, success, "connection refused", now), run();
  }
  void handled(std::string_view name, HandlerKind kind, bool success) {
    life.handled(of(name), kind, success, "it failed", now), run();
  }
  void stop(uint64_t grace) { life.stop(grace, now), run(); }

  // Lets the time pass, stopping at each deadline.
  void pass(int64_t seconds) { pass_ns(seconds * kTestSecond); }
  void pass_ns(int64_t ns) {
    const int64_t until = now.ns + ns;
    for (int rounds = 0; rounds < 100000; ++rounds) {
      const std::optional<int64_t> next = life.deadline();
      if (!next || *next > until) break;
      set(std::max(*next, now.ns));
      life.time(now), run();
    }
    set(until);
    life.time(now), run();
  }

  ContainerStatus status(std::string_view name) { return *life.status().find(name); }
  // "waiting CrashLoopBackOff", "running", "terminated Error 3".
  std::string state(std::string_view name) {
    const ContainerState state = status(name).state;
    if (state.waiting) return cat("waiting ", oci::to_string(state.waiting->reason));
    if (state.running) return "running";
    return cat("terminated ", oci::to_string(state.terminated->reason), " ",
               state.terminated->exit_code);
  }
  std::string_view phase() { return oci::to_string(life.status().phase); }
  int count(EventType type) {
    int n = 0;
    for (const Event& event : events) n += event.type == type;
    return n;
  }

  // The counts of the events of that type: "1 2 3".
  std::string counts(EventType type) {
    std::string all;
    for (const Event& event : events) {
      if (event.type == type) all += cat(all.empty() ? "" : " ", event.count.value_or(0));
    }
    return all;
  }

  Instance of(std::string_view name) {
    for (uint32_t i = 0; i < pod.containers.size(); ++i) {
      if (pod.containers[i].name == name) return life.instance(i);
    }
    ADD_FAILURE() << "no container " << name;
    return {};
  }

  void run() {
    for (;;) {
      const std::vector<Action> actions = life.take_actions();
      if (actions.empty()) return;
      for (const Action& action : actions)
        std::visit([&](const auto& one) { carry_out(one); }, action);
    }
  }

 private:
  const std::string& name(Instance instance) { return pod.containers[instance.container].name; }
  void set(int64_t ns) {
    now.wall.tv_sec += (ns - now.ns) / kTestSecond;
    now.ns = ns;
  }

  void carry_out(const Create& a) {
    log.push_back(cat("create ", name(a.of)));
    if (answers_create) life.created(a.of, {.pid = 100 + static_cast<int>(a.of.container)}, now);
  }
  void carry_out(const Start& a) {
    log.push_back(cat("start ", name(a.of)));
    if (answers_start) life.started(a.of, now);
  }
  void carry_out(const Signal& a) {
    log.push_back(cat("signal ", name(a.of), " ", a.signal));
    if (dies_by_signal) life.exited(a.of, {.signal = a.signal}, false, now);
  }
  void carry_out(const Kill& a) {
    log.push_back(cat("kill ", name(a.of)));
    if (dies_by_kill) life.exited(a.of, {.signal = 9}, false, now);
  }
  void carry_out(const Remove& a) {
    log.push_back(cat("remove ", name(a.of)));
    if (answers_remove) life.removed(a.of, now);
  }
  void carry_out(const RunProbe& a) {
    log.push_back(cat("probe ", name(a.of), " ", oci::to_string(a.kind)));
  }
  void carry_out(const RunHandler& a) {
    log.push_back(cat(a.kind == HandlerKind::kPostStart ? "postStart " : "preStop ", name(a.of)));
  }
  void carry_out(const Publish& a) { events.push_back(a.event); }
  void carry_out(const Launched&) { log.push_back("launched"); }
  void carry_out(const LaunchFailed& a) { log.push_back(cat("launch failed: ", a.text)); }
  void carry_out(const Ended&) { log.push_back("ended"); }
};

}  // namespace ocirt::pod
