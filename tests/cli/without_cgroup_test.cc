// `--cgroup-manager disabled`: what commands do for a container without a cgroup. Its processes are
// told by its pid namespace; where it shares that too, nothing tells.
#include <algorithm>
#include <csignal>

#include "tests/support/fixture.h"

namespace harness {
namespace {

class WithoutCgroup : public RunningContainerTest {
 protected:
  WithoutCgroup() {
    runtime.global = {"--cgroup-manager", "disabled"};
    bundle.shell("trap 'echo got it' USR1; sleep 100 & sleep 100 & while :; do wait; done");
  }
  // Of `ps --format json`.
  std::vector<pid_t> pids() {
    const Outcome outcome = runtime.run({"ps", "--format", "json", container_->id()});
    EXPECT_OK(outcome);
    std::vector<pid_t> found;
    if (!outcome.ok()) return found;
    const Json document = Json::parse(outcome.out);
    for (const Json& pid : document.items()) found.push_back(static_cast<pid_t>(pid.integer()));
    return found;
  }
  // Until the shell has started its two: a child has its trap, too, until it has forgotten it.
  bool has_three() {
    return eventually([&] {
      const std::vector<pid_t> found = pids();
      return found.size() == 3 && std::ranges::count_if(found, catches_usr1) == 1;
    });
  }
  static bool catches_usr1(pid_t pid) {
    const std::string status = read_file("/proc/" + std::to_string(pid) + "/status");
    const size_t at = status.find("SigCgt:\t");
    return at != std::string::npos &&
           std::stoull(status.substr(at + 8), nullptr, 16) >> (SIGUSR1 - 1) & 1;
  }
};

TEST_F(WithoutCgroup, PsTellsTheProcessesOfThePidNamespace) {
  const pid_t init = running().pid();
  ASSERT_TRUE(has_three());
  for (const pid_t pid : pids()) {
    EXPECT_EQ(link_target("/proc/" + std::to_string(init) + "/ns/pid"),
              link_target("/proc/" + std::to_string(pid) + "/ns/pid"));
  }
  const Outcome table = runtime.run({"ps", container_->id(), "-o", "pid,args", "-A"});
  EXPECT_OK(table);
  EXPECT_EQ(4u, lines(table.out).size()) << table.out;
  // Those of exec, whose parent is outside.
  ASSERT_OK(container_->exec({"sleep", "100"}, {"--detach"}));
  EXPECT_EQ(4u, pids().size());
}

TEST_F(WithoutCgroup, KillAllReachesThemAll) {
  running();
  ASSERT_TRUE(has_three());
  EXPECT_OK(container_->kill("USR1", {"--all"}));  // which ends those without a handler
  EXPECT_TRUE(eventually([&] { return pids().size() == 1; }));
  EXPECT_TRUE(eventually([&] { return container_->output() == "got it\n"; }));
  EXPECT_OK(container_->kill("KILL", {"--all"}));
  container_->wait_for_exit();
  EXPECT_TRUE(pids().empty());
}

TEST_F(WithoutCgroup, ThatSharesItsPidNamespaceIsToldByNothing) {
  bundle.without_namespace("pid").shell("exec sleep 100");
  running();
  EXPECT_FAILS(runtime.run({"ps", container_->id()}), 1, "not supported");
  EXPECT_FAILS(container_->kill("TERM", {"--all"}), 1, "not supported");
  EXPECT_OK(container_->kill("KILL"));
  container_->wait_for_exit();
}

TEST_F(WithoutCgroup, PauseAndLimitsSayWhatIsMissing) {
  running();
  EXPECT_FAILS(runtime.run({"pause", container_->id()}), 1, "without a cgroup");
  EXPECT_FAILS(runtime.run({"update", "--pids-limit", "9", container_->id()}), 1,
               "without a cgroup");
}

}  // namespace
}  // namespace harness
