// The order in which a pod's containers begin and end, as they see it themselves: each writes a
// line into a directory that all of them share.
#include "tests/pods/pod_fixture.h"

namespace harness {
namespace {

using ocirt::pod::Phase;
using ocirt::pod::PodStatus;
using ocirt::pod::RestartPolicy;
using ocirt::pod::Role;
using ocirt::pod::StopReason;

class PodOrder : public OnePodTest {
 protected:
  PodOrder() { make_directories(scratch() + "/shared"); }

  ocirt::pod::Container& add(const std::string& name, const std::string& script,
                             Role role = Role::kApp) {
    ocirt::pod::Container& container = pod_.add(name, script, role);
    pod_.bundle(name).directory("/shared").mount("/shared", "bind", scratch() + "/shared",
                                                 {"bind", "rw"});
    return container;
  }
  // What has been written so far, in one line.
  std::string told() const {
    const std::string file = scratch() + "/shared/log";
    return exists(file) ? join(lines(read_file(file)), ", ") : "";
  }
  // A script that lives until it is asked to end.
  static std::string lives(const std::string& name) {
    return "trap 'echo " + name + " ends >> /shared/log; exit 0' TERM; echo " + name +
           " begins >> /shared/log; while :; do sleep 0.02; done";
  }
};

TEST_F(PodOrder, InitContainersRunOneAfterTheOtherAndThenAllApps) {
  for (const char* name : {"i1", "i2"}) {
    add(name,
        std::string("echo ") + name + " begins >> /shared/log; sleep 0.1; echo " + name +
            " ends >> /shared/log",
        Role::kInit);
  }
  add("a", "sleep 0.1; echo a >> /shared/log");
  add("b", "while ! grep -q a /shared/log; do sleep 0.02; done; echo b >> /shared/log");
  pod_.launch();
  ASSERT_TRUE(
      pod_.becomes([](const PodStatus& status) { return status.phase == Phase::kSucceeded; }));
  EXPECT_EQ(told(), "i1 begins, i1 ends, i2 begins, i2 ends, a, b");
}

TEST_F(PodOrder, ASidecarLivesBesideAllThatFollowsAndEndsWithTheLastApp) {
  add("s", lives("s"), Role::kSidecar);
  add("i", "while ! grep -q s /shared/log; do sleep 0.02; done; echo i >> /shared/log",
      Role::kInit);
  add("a", "echo a >> /shared/log");
  pod_.launch();
  ASSERT_TRUE(
      pod_.becomes([](const PodStatus& status) { return status.phase == Phase::kSucceeded; }));
  EXPECT_EQ(told(), "s begins, i, a, s ends");
  EXPECT_EQ(pod_.status().reason, StopReason::kCompleted);
}

TEST_F(PodOrder, WhatFollowsASidecarWaitsForItsStartupProbe) {
  ocirt::pod::Container& sidecar = add("s", lives("s"), Role::kSidecar);
  sidecar.startup.emplace().exec = {"test", "-e", "/shared/go"};
  sidecar.startup->period_seconds = 1;
  sidecar.startup->failure_threshold = 100;
  add("a", lives("a"));
  ASSERT_EQ(pod_.create(), "");
  // StartSandbox answers when the apps have been started: the probe must be let through meanwhile.
  const pid_t helper = in_background([&] {
    if (!eventually([&] { return told() == "s begins"; })) return false;
    sleep_ms(300);
    write_file(scratch() + "/shared/go", told());
    return true;
  });
  ASSERT_EQ(pod_.start(), "");
  ASSERT_TRUE(wait_for_end(helper));
  EXPECT_EQ(read_file(scratch() + "/shared/go"), "s begins") << "the app had to wait";
  ASSERT_TRUE(eventually([&] { return told() == "s begins, a begins"; })) << told();
  EXPECT_TRUE(pod_.container("s").started);
}

TEST_F(PodOrder, StoppingEndsAppsFirstAndSidecarsFromTheLastToTheFirst) {
  add("s1", lives("s1"), Role::kSidecar);
  add("s2", lives("s2"), Role::kSidecar);
  add("a", lives("a"));
  pod_.launch();
  // Who has not come that far does not hear the signal.
  for (const char* line : {"s1 begins", "s2 begins", "a begins"}) {
    ASSERT_TRUE(eventually([&] { return told().find(line) != std::string::npos; })) << told();
  }
  ASSERT_EQ(pod_.stop(10), "");
  EXPECT_TRUE(told().ends_with(" begins, a ends, s2 ends, s1 ends")) << told();
  EXPECT_EQ(pod_.status().phase, Phase::kSucceeded);
  EXPECT_EQ(pod_.status().reason, StopReason::kStopped);
}

TEST_F(PodOrder, AnInitContainerThatFailsForGoodKeepsTheAppsFromBeginning) {
  add("s", lives("s"), Role::kSidecar);
  // The sidecar has to hear the signal that ends it.
  add("i", "while ! grep -q s /shared/log; do sleep 0.02; done; exit 3", Role::kInit);
  add("a", lives("a"));
  ASSERT_EQ(pod_.create(), "");
  const std::string error = pod_.start();
  EXPECT_NE(error.find("init container i failed: exit code 3"), std::string::npos) << error;
  ASSERT_TRUE(pod_.becomes([](const PodStatus& status) { return status.phase == Phase::kFailed; }));
  EXPECT_EQ(told(), "s begins, s ends");
  EXPECT_EQ(pod_.status().reason, StopReason::kInitFailed);
  EXPECT_EQ(pod_.container("i").state.terminated->exit_code, 3);
  EXPECT_EQ(pod_.container("a").process.pid, 0);
}

TEST_F(PodOrder, AnInitContainerThatFailsIsRunAgainUntilItSucceeds) {
  add("i", "echo i >> /shared/log; test $(wc -l < /shared/log) = 3", Role::kInit).restart =
      RestartPolicy::kOnFailure;
  add("a", lives("a"));
  pod_.launch();
  ASSERT_TRUE(eventually([&] { return told() == "i, i, i, a begins"; })) << told();
  EXPECT_EQ(pod_.container("i").restart_count, 2u);
}

TEST_F(PodOrder, AProgramThatIsNotThereIsTheAnswerToTheStart) {
  add("a", lives("a"));
  add("b", "");
  pod_.bundle("b").args({"/no/such/program"});
  ASSERT_EQ(pod_.create(), "");
  const std::string error = pod_.start();
  EXPECT_NE(error.find("container b: "), std::string::npos) << error;
  EXPECT_NE(error.find("/no/such/program"), std::string::npos) << error;
  EXPECT_EQ(error.find('\n'), std::string::npos) << error;
  EXPECT_EQ(pod_.container("b").process.pid, 0);
}

}  // namespace
}  // namespace harness
