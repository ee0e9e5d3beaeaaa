// config-linux.md, "Offset for Time Namespace" (since 1.2).
#include <time.h>

#include <cstdlib>

#include "tests/support/fixture.h"

namespace harness {
namespace {

class TimeNamespaces : public ContainerTest {
 protected:
  void SetUp() override {
    ContainerTest::SetUp();
    if (!exists("/proc/self/ns/time")) GTEST_SKIP() << "this kernel has no time namespaces";
    NEEDS_NAMESPACE("time");
  }
};

TEST_F(TimeNamespaces, TheOffsetsAreApplied) {
  SPEC("config-linux.md#offset-for-time-namespace", "timeOffsets sets the offset for clocks.");
  bundle.with_namespace("time");
  bundle.set("linux.timeOffsets", R"({"boottime": {"secs": 1000000, "nanosecs": 0},
                                      "monotonic": {"secs": 500, "nanosecs": 7}})");
  NEEDS_SUPPORT();
  const std::string seen = run_shell("cat /proc/self/timens_offsets; cut -d. -f1 /proc/uptime");
  EXPECT_EQ("500 7", join(words(field(seen, "monotonic")), " ")) << seen;
  EXPECT_EQ("1000000 0", join(words(field(seen, "boottime")), " ")) << seen;
  ASSERT_FALSE(lines(seen).empty());
  EXPECT_GE(std::atol(lines(seen).back().c_str()), 1000000);
}

TEST_F(TimeNamespaces, AreNewWhenTheyAreListedAndInheritedWhenTheyAreNot) {
  bundle.shell("exec sleep 100");
  Bundle with(scratch() + "/with");
  with.with_namespace("time").shell("exec sleep 100");
  Container inherited(runtime, bundle), made(runtime, with);
  inherited.launch();
  made.launch();
  auto inside = [](const Container& container) {
    return link_target("/proc/" + std::to_string(container.pid()) + "/ns/time");
  };
  EXPECT_EQ(link_target("/proc/self/ns/time"), inside(inherited));
  EXPECT_NE(link_target("/proc/self/ns/time"), inside(made));
}

TEST_F(TimeNamespaces, ExecJoinsThem) {
  bundle.with_namespace("time").shell("exec sleep 100");
  bundle.set("linux.timeOffsets", R"({"boottime": {"secs": 1000000}})");
  Container container(runtime, bundle);
  container.launch();
  const Outcome outcome = container.exec({"cat", "/proc/uptime"});
  EXPECT_OK(outcome);
  EXPECT_GE(std::atol(outcome.out.c_str()), 1000000) << outcome;
}

TEST_F(TimeNamespaces, AreJoinedByPath) {
  bundle.with_namespace("time").shell("exec sleep 100");
  bundle.set("linux.timeOffsets", R"({"boottime": {"secs": 1000000}})");
  Container first(runtime, bundle);
  first.launch();
  const std::string path = "/proc/" + std::to_string(first.pid()) + "/ns/time";
  Bundle joining(scratch() + "/joining");
  joining.with_namespace("time", path).shell("cat /proc/uptime; exec sleep 100");
  Container second(runtime, joining);
  second.launch();
  EXPECT_EQ(link_target(path), link_target("/proc/" + std::to_string(second.pid()) + "/ns/time"));
  ASSERT_TRUE(eventually([&] { return !second.output().empty(); }));
  EXPECT_GE(std::atol(second.output().c_str()), 1000000);
  const Outcome outcome = second.exec({"cat", "/proc/uptime"});
  EXPECT_GE(std::atol(outcome.out.c_str()), 1000000) << outcome;
}

TEST_F(TimeNamespaces, AnOffsetBelowTheClocksBeginIsAnError) {
  bundle.with_namespace("time");
  bundle.set("linux.timeOffsets", R"({"boottime": {"secs": -1000000000}})");
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create(), 1, "linux.timeOffsets");
  EXPECT_TRUE(names_in(runtime.root()).empty());
}

TEST_F(TimeNamespaces, TheStatusIsKnownInSpiteOfOtherClocks) {
  bundle.with_namespace("time").shell("exec sleep 100");
  bundle.set("linux.timeOffsets", R"({"boottime": {"secs": 1000000}})");
  Container container(runtime, bundle);
  container.launch();
  EXPECT_EQ("running", container.status());
  EXPECT_OK(container.kill("KILL"));
}

}  // namespace
}  // namespace harness
