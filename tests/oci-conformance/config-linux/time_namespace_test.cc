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

}  // namespace
}  // namespace harness
