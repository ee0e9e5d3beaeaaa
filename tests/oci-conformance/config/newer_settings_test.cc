// config.md, "Linux Process" and config-linux.md, "Personality": settings that came after
// version 1.0. Read back from /proc inside the container.
#include "tests/support/fixture.h"

namespace harness {
namespace {

class NewerSettings : public ContainerTest {
 protected:
  // Field `number` of proc(5)'s stat of a program without spaces in its name.
  std::string stat_field(size_t number) {
    const std::vector<std::string> all = words(run_shell("exec cat /proc/self/stat"));
    return all.size() < number ? std::string() : all[number - 1];
  }
};

TEST_F(NewerSettings, PersonalityIsSet) {
  SPEC("config-linux.md#personality", "personality sets the Linux execution personality.");
  NEEDS_VERSION("1.1");
  bundle.set("linux.personality", R"({"domain": "LINUX32"})");
  NEEDS_SUPPORT();
  EXPECT_EQ("00000008\n", run_shell("cat /proc/self/personality"));
}

TEST_F(NewerSettings, SchedulerPolicyAndNiceAreSet) {
  SPEC("config.md#linux-process", "scheduler describes the scheduler properties for the process.");
  NEEDS_VERSION("1.2");
  bundle.set("process.scheduler", R"({"policy": "SCHED_BATCH", "nice": 7})");
  NEEDS_SUPPORT();
  EXPECT_EQ("3", stat_field(41)) << "SCHED_BATCH is 3";
  EXPECT_EQ("7", stat_field(19));
}

TEST_F(NewerSettings, AnUnknownSchedulerPolicyIsAnErrorThatNamesIt) {
  NEEDS_VERSION("1.2");
  bundle.set("process.scheduler", R"({"policy": "SCHED_LAZY"})");
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create(), 1, "SCHED_LAZY");
}

TEST_F(NewerSettings, InputOutputPriorityIsSet) {
  SPEC("config.md#linux-process", "ioPriority configures the I/O priority settings.");
  NEEDS_VERSION("1.2");
  bundle.set("process.ioPriority", R"({"class": "IOPRIO_CLASS_BE", "priority": 6})");
  NEEDS_SUPPORT();
  EXPECT_EQ("best-effort: prio 6\n", run_shell("exec busybox ionice -p 1"));
}

TEST_F(NewerSettings, IdmapIsListedInFeatures) {
  NEEDS_VERSION("1.2");
  // containerd refuses pods with mapped volumes when this member is missing.
  EXPECT_NE(nullptr, features().find("linux.mountExtensions.idmap.enabled"));
}

}  // namespace
}  // namespace harness
