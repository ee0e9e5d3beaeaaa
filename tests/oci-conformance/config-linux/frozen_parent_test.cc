// A container below a cgroup that stands still: an engine, a user or systemd has frozen the slice
// or the pod that it is in. Whatever would begin a process there would wait for as long as that
// lasts, so it is refused with the name of the group; what ends processes works, as version 2 has
// it and version 1 has not.
#include <sys/stat.h>

#include "tests/support/fixture.h"

namespace harness {
namespace {

class FrozenParent : public ContainerTest {
 protected:
  FrozenParent() { bundle.shell("exec sleep 100"); }

  void SetUp() override {
    ContainerTest::SetUp();
    if (IsSkipped()) return;
    if (cgroups::by_systemd()) GTEST_SKIP() << "the slice is systemd's";
    parent_ = cgroups::directory(legacy() ? "freezer" : "", cgroups::test_parent());
    if (parent_.empty()) GTEST_SKIP() << "no freezer here";
    mkdir(parent_.c_str(), 0755);
  }
  void TearDown() override {
    freeze(false);
    ContainerTest::TearDown();
  }

  static bool legacy() { return cgroups::has_controller("freezer"); }
  void freeze(bool frozen) {
    if (parent_.empty()) return;
    if (legacy())
      write_file(parent_ + "/freezer.state", frozen ? "FROZEN" : "THAWED");
    else
      write_file(parent_ + "/cgroup.freeze", frozen ? "1" : "0");
  }
  std::string complaint() const { return parent_ + " is frozen"; }
  static Command brief() { return {.time_limit_ms = 30000}; }

  std::string parent_;
};

TEST_F(FrozenParent, LetsNoContainerBeMadeAndIsNamed) {
  freeze(true);
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create({}, brief()), 1, complaint());
  EXPECT_FAILS(container.run({}, brief()), 1, complaint());
  EXPECT_TRUE(names_in(runtime.root()).empty());
  EXPECT_TRUE(cgroups::leftovers().empty());
  freeze(false);
  ASSERT_OK(container.create());
}

TEST_F(FrozenParent, LetsNoContainerStartAndNoneBeEntered) {
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  freeze(true);
  EXPECT_FAILS(runtime.run({"start", container.id()}, brief()), 1, complaint());
  EXPECT_EQ("created", container.status());
  freeze(false);
  ASSERT_OK(container.start());
  freeze(true);
  EXPECT_EQ("running", container.status());
  EXPECT_FAILS(container.exec({"true"}, {}, brief()), 255, complaint());
  freeze(false);
  EXPECT_OK(container.exec({"true"}));
}

TEST_F(FrozenParent, LetsAPausedContainerBeResumedOnlyInPart) {
  Container container(runtime, bundle);
  container.launch();
  freeze(true);
  EXPECT_OK(runtime.run({"pause", container.id()}, brief()));
  EXPECT_EQ("paused", container.status());
  EXPECT_FAILS(runtime.run({"resume", container.id()}, brief()), 1, complaint());
  EXPECT_EQ("running", container.status());
}

TEST_F(FrozenParent, KeepsSigkillFromNobody) {
  for (const bool by_init : {true, false}) {
    if (by_init)
      bundle.with_namespace("pid");
    else
      bundle.without_namespace("pid");
    for (const bool paused : {false, true}) {
      Container container(runtime, bundle);
      container.launch();
      if (paused) {
        ASSERT_OK(runtime.run({"pause", container.id()}));
      }
      freeze(true);
      const pid_t pid = container.pid();
      EXPECT_OK(runtime.run({"kill", container.id(), "KILL"}, brief()));
      EXPECT_TRUE(wait_for_end(pid));
      EXPECT_OK(runtime.run({"delete", container.id()}, brief()));
      freeze(false);
    }
  }
}

TEST_F(FrozenParent, KeepsNothingFromBeingDeletedByForce) {
  bundle.shell("sleep 100 & (sleep 100; true) & echo ready; exec sleep 100");
  for (const bool by_init : {true, false}) {
    if (by_init)
      bundle.with_namespace("pid");
    else
      bundle.without_namespace("pid");
    for (const bool paused : {false, true}) {
      Container container(runtime, bundle);
      container.launch();
      ASSERT_TRUE(eventually([&] { return container.output() == "ready\n"; }));
      if (paused) {
        ASSERT_OK(runtime.run({"pause", container.id()}));
      }
      freeze(true);
      EXPECT_OK(runtime.run({"delete", "--force", container.id()}, brief()));
      EXPECT_TRUE(cgroups::leftovers().empty());
      EXPECT_EQ("", container.status());
      freeze(false);
    }
  }
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  freeze(true);
  EXPECT_OK(runtime.run({"delete", "--force", container.id()}, brief()));
}

// It is frozen in the middle of `create`, and of no other init than ours.
TEST_F(FrozenParent, DoesNotKeepACreateThatFailsFromEnding) {
  const std::string script = scratch() + "/hook";
  const std::string order = legacy() ? "echo FROZEN >" + parent_ + "/freezer.state"
                                     : "echo 1 >" + parent_ + "/cgroup.freeze";
  write_file(script, "#!/bin/sh\n" + order + "\nexit 7\n");
  ASSERT_EQ(0, chmod(script.c_str(), 0755));
  bundle.set("hooks.createRuntime", R"([{"path": ")" + script + R"("}])");
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create({}, brief()), 1, "status 7");
  EXPECT_TRUE(names_in(runtime.root()).empty());
  EXPECT_TRUE(cgroups::leftovers().empty());
}

// What is not the container's stays where it is, and as it is.
TEST_F(FrozenParent, IsNotThawedByDelete) {
  Container container(runtime, bundle), other(runtime, bundle);
  container.launch();
  bundle.shell("while :; do echo tick; usleep 2000; done");
  other.launch();
  ASSERT_TRUE(eventually([&] { return !other.output().empty(); }));
  freeze(true);
  ASSERT_TRUE(eventually([&] {
    const size_t before = other.output().size();
    sleep_ms(10);
    return before == other.output().size();
  }));
  const size_t before = other.output().size();
  EXPECT_OK(runtime.run({"delete", "--force", container.id()}, brief()));
  sleep_ms(20);
  EXPECT_EQ(before, other.output().size());
  if (legacy()) {
    EXPECT_EQ("FROZEN\n", read_file(parent_ + "/freezer.state"));
  }
}

}  // namespace
}  // namespace harness
