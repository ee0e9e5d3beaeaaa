// config-linux.md, "Namespaces": a container without a mount namespace is in that of the runtime.
// It sees its rootfs all the same, and is gone from the host's mounts when it is deleted.
#include <sys/mount.h>
#include <unistd.h>

#include "tests/support/fixture.h"

namespace harness {
namespace {

class SharedMounts : public ContainerTest {
 protected:
  void SetUp() override {
    ContainerTest::SetUp();
    bundle.without_namespace("mount");
    NEEDS_SUPPORT();
    before_ = targets();
  }
  // Where something is mounted, on the host.
  static std::vector<std::string> targets() {
    std::vector<std::string> all;
    for (const Mount& mount : parse_mountinfo(read_file("/proc/self/mountinfo")))
      all.push_back(mount.target);
    return all;
  }

  std::vector<std::string> before_;
};

TEST_F(SharedMounts, AreInheritedFromTheRuntime) {
  SPEC("config-linux.md#namespaces",
       "If a namespace type is not specified in the namespaces array, the container MUST inherit "
       "the runtime namespace of that type.");
  bundle.file("/only-here", "");
  EXPECT_EQ(link_target("/proc/self/ns/mnt") + "\nonly-here\n",
            run_shell("readlink /proc/self/ns/mnt; cd /; ls -d only*"));
  EXPECT_EQ(before_, targets());
}

TEST_F(SharedMounts, AreAsTheDocumentSays) {
  write_file(scratch() + "/file", "bound\n");
  bundle.mount("/x", "tmpfs", "tmpfs", {"size=1m"})
      .mount("/f", "bind", scratch() + "/file", {"bind"});
  bundle.set("linux.maskedPaths", R"(["/proc/timer_list", "/proc/acpi"])");
  bundle.set("linux.readonlyPaths", R"(["/proc/sys"])").set("root.readonly", "true");
  EXPECT_EQ("1\nbound\n0\nread-only\nroot too\n/dev/null is there\n",
            run_shell("grep -c ' /x tmpfs' /proc/mounts; cat /f; cat /proc/timer_list | wc -c; "
                      "(echo x > /proc/sys/kernel/domainname) 2>/dev/null || echo read-only; "
                      "(echo x > /file) 2>/dev/null || echo root too; "
                      "[ -c /dev/null ] && echo /dev/null is there"));
  EXPECT_EQ(before_, targets());
}

TEST_F(SharedMounts, AreNotOnTheRoot) {
  bundle.mount("/", "tmpfs", "tmpfs", {});
  Container container(runtime, bundle);
  EXPECT_FAILS(container.run(), 1, "nothing is mounted on the root");
  EXPECT_EQ(before_, targets());
}

TEST_F(SharedMounts, StayUntilTheContainerIsDeleted) {
  bundle.shell("exec sleep 100");
  Container container(runtime, bundle);
  container.launch();
  EXPECT_TRUE(contains(targets(), bundle.rootfs("/proc")));
  EXPECT_OK(container.kill("KILL"));
  EXPECT_OK(container.remove({"--force"}));
  EXPECT_EQ(before_, targets());
}

TEST_F(SharedMounts, AreGoneWhenTheContainerCannotBeMade) {
  bundle.mount("/f", "bind", scratch() + "/absent", {"bind"});
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create(), 1, "absent");
  EXPECT_EQ(before_, targets());
}

TEST_F(SharedMounts, LeaveTheirSourcesAloneWhenTheyGo) {
  const std::string source = scratch() + "/source";
  make_directories(source);
  ASSERT_EQ(0, mount("tmpfs", source.c_str(), "tmpfs", 0, ""));
  ASSERT_EQ(0, mount(nullptr, source.c_str(), nullptr, MS_SHARED, nullptr));
  make_directories(source + "/below");
  ASSERT_EQ(0, mount("tmpfs", (source + "/below").c_str(), "tmpfs", 0, ""));
  const std::vector<std::string> before = targets();
  for (const char* propagation : {"rprivate", "rshared", "rslave"}) {
    bundle.without_mount("/x").mount("/x", "bind", source, {"rbind", propagation});
    EXPECT_EQ("1\n", run_shell("grep -c ' /x/below ' /proc/mounts"));
    EXPECT_EQ(before, targets()) << propagation;
  }
  EXPECT_EQ(0, umount2(source.c_str(), MNT_DETACH));
}

TEST_F(SharedMounts, KeepExecAndTheMountsCommandInTheContainersRoot) {
  bundle.file("/only-here", "").shell("exec sleep 100");
  Container container(runtime, bundle);
  container.launch();
  EXPECT_EQ("only-here\n/\n", container.exec_shell("cd /; ls -d only*; pwd").out);
  EXPECT_EQ("only-here\n", container.exec_shell("cd ../../..; ls -d only*", {"--cwd", "/tmp"}).out);
  const std::string list = scratch() + "/list.json";
  write_file(list, R"([{"destination": "/late", "type": "tmpfs", "source": "tmpfs"}])");
  const Outcome added = runtime.run({"mounts", "add", container.id(), list});
  EXPECT_OK(added);
  EXPECT_TRUE(contains(targets(), bundle.rootfs("/late")));
  EXPECT_OK(runtime.run({"mounts", "remove", container.id(), list}));
  EXPECT_FALSE(contains(targets(), bundle.rootfs("/late")));
}

TEST_F(SharedMounts, HaveNoPropagationOfTheHostsRootToChange) {
  bundle.set("linux.rootfsPropagation", R"("rprivate")");
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create(), 1, "linux.rootfsPropagation");
}

}  // namespace
}  // namespace harness
