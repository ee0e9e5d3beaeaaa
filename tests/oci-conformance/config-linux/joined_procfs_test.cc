// config-linux.md, "Namespaces": a container that joins a pid namespace sees the processes of that
// one in its /proc, and none of the host, however old the kernel is.
#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "tests/support/fixture.h"

namespace harness {
namespace {

// Linux before 6.17: procfs cannot be told which namespace it is to show.
const Command kWithoutPidnsOption = {.missing =
                                         MissingCall{SYS_fsconfig, 1, FSCONFIG_SET_FD, EINVAL}};

class JoinedProcfs : public ContainerTest {
 protected:
  void SetUp() override {
    ContainerTest::SetUp();
    bundle.args({"sleep", "100"});  // by no shell, which would still be seen as process 1
  }
  // A second container that joins the first's pid namespace.
  void join(const Container& first, std::string_view script) {
    joining.with_namespace("pid", path_of(first, "pid")).shell(script);
  }
  static std::string path_of(const Container& container, const std::string& file) {
    return "/proc/" + std::to_string(container.pid()) + "/ns/" + file;
  }
  // What the second container's program says.
  std::string said_by(Container& container, const Command& base) {
    const Outcome outcome = container.run({}, base);
    EXPECT_OK(outcome);
    return outcome.out;
  }

  Bundle joining{scratch() + "/joining"};
};

// The program of process 1, how many processes there are, and whether one's own number is the one
// that procfs has for it.
constexpr const char* kLook =
    "tr '\\0' ' ' < /proc/1/cmdline; echo; ls /proc | grep -c '^[0-9]'; "
    "read own rest < /proc/self/stat; [ -d /proc/$$/fd ] && [ $own -lt 50 ] && echo own";

TEST_F(JoinedProcfs, ShowsTheProcessesOfTheNamespace) {
  SPEC("config-linux.md#namespaces",
       "The runtime MUST place the container process in the namespace associated with that path.");
  for (const Command& base : {Command(), kWithoutPidnsOption}) {
    Container first(runtime, bundle);
    first.launch();
    join(first, kLook);
    Container second(runtime, joining);
    const std::vector<std::string> seen = lines(said_by(second, base));
    ASSERT_EQ(3u, seen.size());
    EXPECT_EQ("sleep 100 ", seen[0]);
    EXPECT_GE(6, std::stoi(seen[1]));  // and not the hundred of a host
    EXPECT_EQ("own", seen[2]);
  }
}

TEST_F(JoinedProcfs, ShowsThemToExecToo) {
  for (const Command& base : {Command(), kWithoutPidnsOption}) {
    Container first(runtime, bundle);
    first.launch();
    join(first, "exec sleep 100");
    Container second(runtime, joining);
    second.launch({}, base);
    EXPECT_EQ("sleep 100 ", second.exec_shell("tr '\\0' ' ' < /proc/1/cmdline").out);
  }
}

TEST_F(JoinedProcfs, HasTheOptionsOfItsMount) {
  for (const Command& base : {Command(), kWithoutPidnsOption}) {
    Container first(runtime, bundle);
    first.launch();
    joining.without_mount("/proc").mount("/proc", "proc", "proc",
                                         {"nosuid", "nodev", "noexec", "ro", "hidepid=2"});
    joining.directory("/other").mount("/other", "proc", "proc", {"subset=pid"});
    joining.set("process.user", R"({"uid": 10, "gid": 10})");
    join(first,
         "[ -d /proc/1 ] || echo hidden; [ -d /other/1 ] && echo seen; "
         "[ -e /other/meminfo ] || echo pids only; grep ' /proc ' /proc/mounts");
    Container second(runtime, joining);
    const std::string seen = said_by(second, base);
    EXPECT_TRUE(seen.starts_with("hidden\nseen\npids only\nproc /proc proc ro,nosuid,nodev,noexec"))
        << seen;
    joining.without_mount("/other");
  }
}

TEST_F(JoinedProcfs, AnOptionThatItDoesNotTakeIsNamed) {
  for (const Command& base : {Command(), kWithoutPidnsOption}) {
    Container first(runtime, bundle);
    first.launch();
    joining.without_mount("/proc").mount("/proc", "proc", "proc", {"colour=red"});
    join(first, "true");
    Container second(runtime, joining);
    const Outcome outcome = second.run({}, base);
    EXPECT_EQ(1, outcome.code) << outcome;
    EXPECT_SAYS(outcome.err, "colour=red");
  }
}

TEST_F(JoinedProcfs, IsMaskedAndReadOnlyLikeAnyOther) {
  joining.set("linux.maskedPaths", R"(["/proc/timer_list"])");
  joining.set("linux.readonlyPaths", R"(["/proc/sys"])");
  for (const Command& base : {Command(), kWithoutPidnsOption}) {
    Container first(runtime, bundle);
    first.launch();
    join(first,
         "cat /proc/timer_list | wc -c; "
         "(echo x > /proc/sys/kernel/domainname) 2>/dev/null || echo read-only");
    Container second(runtime, joining);
    EXPECT_EQ("0\nread-only\n", said_by(second, base));
  }
}

TEST_F(JoinedProcfs, IsThereInAUserNamespaceThatDoesNotOwnThePidNamespace) {
  NEEDS_NAMESPACE("user");
  joining.with_namespace("user");
  joining.set("linux.uidMappings", R"([{"containerID": 0, "hostID": 100000, "size": 65536}])");
  joining.set("linux.gidMappings", R"([{"containerID": 0, "hostID": 100000, "size": 65536}])");
  for (const Command& base : {Command(), kWithoutPidnsOption}) {
    Container first(runtime, bundle);
    first.launch();
    join(first, kLook);
    Container second(runtime, joining);
    const std::vector<std::string> seen = lines(said_by(second, base));
    ASSERT_EQ(3u, seen.size());
    EXPECT_EQ("sleep 100 ", seen[0]);
    EXPECT_EQ("own", seen[2]);
  }
}

TEST_F(JoinedProcfs, IsThereInTheUserNamespaceThatOwnsThePidNamespace) {
  NEEDS_NAMESPACE("user");
  bundle.with_namespace("user");
  bundle.set("linux.uidMappings", R"([{"containerID": 0, "hostID": 100000, "size": 65536}])");
  bundle.set("linux.gidMappings", R"([{"containerID": 0, "hostID": 100000, "size": 65536}])");
  for (const Command& base : {Command(), kWithoutPidnsOption}) {
    Container first(runtime, bundle);
    first.launch();
    joining.with_namespace("user", path_of(first, "user"));
    join(first, kLook);
    Container second(runtime, joining);
    EXPECT_TRUE(said_by(second, base).starts_with("sleep 100 \n"));
  }
}

TEST_F(JoinedProcfs, OfTheHostStaysWhatItIsByABind) {
  Container first(runtime, bundle);
  first.launch();
  joining.without_mount("/proc").mount("/proc", "bind", "/proc", {"rbind", "ro"});
  join(first, "readlink /proc/self/ns/pid");
  Container second(runtime, joining);
  EXPECT_EQ(link_target(path_of(first, "pid")) + "\n", said_by(second, {}));
}

}  // namespace
}  // namespace harness
