// config-linux.md, "User namespace mappings": what a container in a user namespace of its own looks
// like from inside and from the host, and that nothing of the host comes into its hands.
#include <grp.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "tests/support/fixture.h"
#include "tests/support/terminal.h"

namespace harness {
namespace {

class UserNamespaces : public ContainerTest {
 protected:
  UserNamespaces() {
    bundle.with_namespace("user");
    bundle.set("linux.uidMappings", R"([{"containerID": 0, "hostID": 100000, "size": 65536}])");
    bundle.set("linux.gidMappings", R"([{"containerID": 0, "hostID": 200000, "size": 65536}])");
  }
  void SetUp() override {
    ContainerTest::SetUp();
    NEEDS_NAMESPACE("user");
    NEEDS_SUPPORT();
  }
};

TEST_F(UserNamespaces, HaveTheMappingsGiven) {
  SPEC("config-linux.md#user-namespace-mappings",
       "uidMappings describes the user namespace uid mappings from the host to the container.");
  const std::string seen = run_shell("cat /proc/self/uid_map /proc/self/gid_map; id -u");
  EXPECT_EQ((std::vector<std::string>{"0", "100000", "65536", "0", "200000", "65536", "0"}),
            words(seen));
}

TEST_F(UserNamespaces, TheProgramIsAnotherUserOutside) {
  bundle.set("process.user", R"({"uid": 10, "gid": 20})").shell("exec sleep 100");
  Container container(runtime, bundle);
  container.launch();
  const std::string status = read_file("/proc/" + std::to_string(container.pid()) + "/status");
  EXPECT_TRUE(field(status, "Uid:").starts_with("100010\t")) << status;
  EXPECT_TRUE(field(status, "Gid:").starts_with("200020\t")) << status;
}

TEST_F(UserNamespaces, HaveTheDefaultDevices) {
  EXPECT_EQ("1:3\n1:5\nwritten\n",
            run_shell("stat -c %t:%T /dev/null /dev/zero; echo x > /dev/null && echo written"));
}

TEST_F(UserNamespaces, OwnTheFileSystemsThatAreNewInThem) {
  bundle.mount("/dev/mqueue", "mqueue", "mqueue", {});
  EXPECT_EQ("0:0\n0:0\n0:0\n0:0\n", run_shell("stat -c %u:%g /dev /dev/pts /dev/shm /dev/mqueue"));
}

TEST_F(UserNamespaces, SeveralRangesAreMapped) {
  bundle.set("linux.uidMappings", R"([{"containerID": 0, "hostID": 100000, "size": 10},
                                      {"containerID": 1000, "hostID": 300000, "size": 5}])");
  EXPECT_EQ((std::vector<std::string>{"0", "100000", "10", "1000", "300000", "5"}),
            words(run_shell("cat /proc/self/uid_map")));
}

TEST_F(UserNamespaces, ExecJoinsThem) {
  bundle.shell("exec sleep 100");
  Container container(runtime, bundle);
  container.launch();
  const Outcome outcome = container.exec({"cat", "/proc/self/uid_map"});
  EXPECT_OK(outcome);
  EXPECT_EQ((std::vector<std::string>{"0", "100000", "65536"}), words(outcome.out));
}

TEST_F(UserNamespaces, WithoutMappingsIsAnError) {
  bundle.remove("linux.uidMappings").remove("linux.gidMappings");
  Container container(runtime, bundle);
  EXPECT_EQ(1, container.run().code);
}

TEST_F(UserNamespaces, OwnTheOtherNamespaces) {
  // Only who has rights over them can do this.
  bundle.set("process.capabilities.effective", R"(["CAP_SYS_ADMIN", "CAP_NET_ADMIN"])")
      .set("process.capabilities.permitted", R"(["CAP_SYS_ADMIN", "CAP_NET_ADMIN"])")
      .set("process.capabilities.bounding", R"(["CAP_SYS_ADMIN", "CAP_NET_ADMIN"])");
  EXPECT_EQ("renamed\nup\nmounted\n1\n",
            run_shell("hostname renamed && hostname; ip link set lo down && ip link set lo up && "
                      "echo up; mount -t tmpfs none /tmp && echo mounted; echo $$"));
}

TEST_F(UserNamespaces, HaveTheCapabilitiesAskedForAndNoMore) {
  bundle.set("process.capabilities", R"({"bounding": ["CAP_CHOWN", "CAP_SYS_RESOURCE"],
      "permitted": ["CAP_CHOWN", "CAP_SYS_RESOURCE"], "effective": ["CAP_CHOWN"]})");
  const std::string status = run_shell("cat /proc/self/status");
  EXPECT_EQ("0000000001000001", field(status, "CapBnd:")) << status;
}

TEST_F(UserNamespaces, TheProgramIsAsManyUsersAsTheDocumentSays) {
  bundle.set("process.user", R"({"uid": 10, "gid": 20, "additionalGids": [30, 40]})");
  EXPECT_EQ("uid=10 gid=20 groups=30,40\n", run_shell("id | sed 's/([^)]*)//g'"));
}

TEST_F(UserNamespaces, AUserThatIsNotMappedIsRefusedBeforeAnythingExists) {
  for (const char* user : {R"({"uid": 70000, "gid": 0})", R"({"uid": 0, "gid": 70000})",
                           R"({"uid": 0, "gid": 0, "additionalGids": [70000]})"}) {
    bundle.set("process.user", user);
    Container container(runtime, bundle);
    EXPECT_FAILS(container.create(), 1, "70000 is not mapped");
    EXPECT_TRUE(names_in(runtime.root()).empty());
  }
}

TEST_F(UserNamespaces, ExecOfAUserThatIsNotMappedIsRefused) {
  bundle.shell("exec sleep 100");
  Container container(runtime, bundle);
  container.launch();
  EXPECT_FAILS(container.exec({"id"}, {"--user", "70000"}), 255, "70000 is not mapped");
  const Outcome outcome = container.exec({"id", "-u"}, {"--user", "10:20"});
  EXPECT_OK(outcome);
  EXPECT_EQ("10\n", outcome.out);
}

TEST_F(UserNamespaces, WithoutItsUserZeroAreRefused) {
  bundle.set("linux.uidMappings", R"([{"containerID": 1, "hostID": 100000, "size": 10}])");
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create(), 1, "linux.uidMappings: 0 must be mapped");
}

TEST_F(UserNamespaces, AGroupOfATerminalThatIsNotMappedIsRefused) {
  bundle.set("linux.gidMappings", R"([{"containerID": 0, "hostID": 200000, "size": 5}])");
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create(), 1, "option gid=5: 5 is not mapped");
}

TEST_F(UserNamespaces, SysfsOfTheHostsNetworkIsThatOfTheHost) {
  bundle.without_namespace("network");
  const std::string seen = run_shell("ls /sys/class/net; cat /proc/self/mountinfo");
  ASSERT_NE("", seen);
  EXPECT_EQ(names_in("/sys/class/net").front(), lines(seen).front());
  for (const Mount& mount : parse_mountinfo(seen.substr(seen.find(" / /") - 12))) {
    if (mount.target.starts_with("/sys")) {
      EXPECT_TRUE(mount.has("ro")) << mount.target;
    }
  }
}

TEST_F(UserNamespaces, SysfsOfAJoinedNetworkOfTheHostIsThatOfTheHost) {
  bundle.with_namespace("network", "/proc/self/ns/net");
  EXPECT_SAYS(run_shell("ls -d /sys/class/net"), "/sys/class/net");
}

TEST_F(UserNamespaces, SysOfTheHostCanBeBound) {
  bundle.without_namespace("network").without_mount("/sys");
  bundle.mount("/sys", "none", "/sys", {"rbind", "nosuid", "noexec", "nodev", "ro"});
  EXPECT_EQ("kernel\n", run_shell("ls -d /sys/kernel | cut -d/ -f3"));
}

TEST_F(UserNamespaces, ABindKeepsWhatItsSourceIsMountedWith) {
  const std::string source = scratch() + "/locked";
  make_directories(source);
  ASSERT_EQ(0, mount("tmpfs", source.c_str(), "tmpfs", MS_NOSUID | MS_NODEV | MS_RDONLY, ""));
  bundle.directory("/mnt").mount("/mnt", "bind", source, {"rbind"});
  bundle.set("process.capabilities.effective", R"(["CAP_SYS_ADMIN"])")
      .set("process.capabilities.permitted", R"(["CAP_SYS_ADMIN"])")
      .set("process.capabilities.bounding", R"(["CAP_SYS_ADMIN"])");
  EXPECT_EQ("kept\n", run_shell("mount -o remount,bind,rw,suid,dev /mnt 2>/dev/null || echo kept"));
  bundle.without_mount("/mnt").mount("/mnt", "bind", source, {"rbind", "rw"});
  {
    Container container(runtime, bundle);
    EXPECT_FAILS(container.run(), 1, "those that the source is mounted with stay");
  }
  umount2(source.c_str(), MNT_DETACH);
}

TEST_F(UserNamespaces, ASourceThatOnlyTheHostsRootCanReachIsBound) {
  const std::string hidden = scratch() + "/hidden";
  make_directories(hidden + "/inner");
  ASSERT_EQ(0, chmod(hidden.c_str(), 0700));
  write_file(hidden + "/inner/file", "reached\n", 0644);
  ASSERT_EQ(0, symlink("/inner/file", (hidden + "/link").c_str()));
  bundle.directory("/mnt").file("/one", "");
  bundle.mount("/mnt", "bind", hidden + "/inner", {"rbind"});
  bundle.mount("/one", "bind", hidden + "/inner/file", {"bind", "ro"});
  EXPECT_EQ("reached\nreached\n", run_shell("cat /mnt/file /one"));
}

TEST_F(UserNamespaces, ARootThatOnlyTheHostsRootCanReachIsUsed) {
  ASSERT_EQ(0, chmod(bundle.path().c_str(), 0700));
  EXPECT_EQ("here\n", run_shell("echo here"));
}

TEST_F(UserNamespaces, ASourceThatIsMissingIsNamed) {
  bundle.mount("/mnt", "bind", scratch() + "/absent", {"bind"});
  Container container(runtime, bundle);
  EXPECT_FAILS(container.run(), 1, "/absent, is not there");
}

TEST_F(UserNamespaces, HaveTheDevicesGivenWithModeAndOwner) {
  SPEC("config-linux.md#devices", "fileMode, uid, gid: of the device in the container.");
  bundle.set("linux.devices", R"([
      {"path": "/dev/of/mine", "type": "c", "major": 1, "minor": 5, "fileMode": 416, "uid": 7, "gid": 8},
      {"path": "/dev/full", "type": "c", "major": 1, "minor": 7},
      {"path": "/dev/disk", "type": "b", "major": 7, "minor": 200, "fileMode": 384}])");
  bundle.set("linux.resources.devices", R"([{"allow": true, "access": "rwm"}])");
  EXPECT_EQ("1:5 640 7:8\n1:7 666 0:0\n7:c8 600 0:0\nblock special file\n10\n3\n",
            run_shell("stat -c '%t:%T %a %u:%g' /dev/of/mine /dev/full /dev/disk; "
                      "stat -c %F /dev/disk; head -c 10 /dev/of/mine | wc -c; "
                      "grep -c ^devices /proc/mounts"));
}

TEST_F(UserNamespaces, PathsAreMaskedAndReadOnly) {
  bundle.set("linux.maskedPaths", R"(["/proc/kcore", "/proc/acpi", "/proc/timer_list"])");
  bundle.set("linux.readonlyPaths", R"(["/proc/sys"])");
  EXPECT_EQ("0\nread-only\n",
            run_shell("cat /proc/timer_list | wc -c; "
                      "(echo x > /proc/sys/kernel/hostname) 2>/dev/null || echo read-only"));
}

TEST_F(UserNamespaces, TheOomScoreAndLimitsAreSet) {
  bundle.set("process.oomScoreAdj", "500");
  bundle.set("process.rlimits", R"([{"type": "RLIMIT_NOFILE", "soft": 70, "hard": 80}])");
  EXPECT_EQ("500\n70\n80\n", run_shell("cat /proc/self/oom_score_adj; ulimit -S -n; ulimit -H -n"));
}

TEST_F(UserNamespaces, SysctlsOfTheirNetworkAreSet) {
  bundle.set("linux.sysctl", R"({"net.ipv4.ip_forward": "1"})");
  EXPECT_EQ("1\n", run_shell("cat /proc/sys/net/ipv4/ip_forward"));
}

TEST_F(UserNamespaces, TheirOwnLimitsAreSetAsSysctls) {
  bundle.set("linux.sysctl", R"({"user.max_net_namespaces": "7"})");
  EXPECT_EQ("7\n", run_shell("cat /proc/sys/user/max_net_namespaces"));
}

// Groups of the caller's, for the time of a test.
class CallersGroups {
 public:
  explicit CallersGroups(std::vector<gid_t> groups) : count_(::getgroups(64, before_)) {
    EXPECT_EQ(0, ::setgroups(groups.size(), groups.data()));
  }
  CallersGroups(const CallersGroups&) = delete;
  CallersGroups& operator=(const CallersGroups&) = delete;
  ~CallersGroups() { EXPECT_EQ(0, ::setgroups(static_cast<size_t>(count_), before_)); }

 private:
  gid_t before_[64];
  int count_;
};

// Those are not mapped, so that the container cannot name them, and has them all the same.
TEST_F(UserNamespaces, KeepTheGroupsOfTheCallerWhenTheyAreToldTo) {
  bundle.set("annotations", R"({"run.oci.keep_original_groups": "1"})");
  CallersGroups groups({4242, 4343});
  EXPECT_SAYS(run_shell("grep ^Groups: /proc/self/status"), "65534 65534");
}

// With them the container's programs could read what the host's groups may.
TEST_F(UserNamespaces, ThatDenySetgroupsAreJoinedWithoutTheGroupsOfTheCaller) {
  Process owner({.argv = {"unshare", "--user", "--map-root-user", "sh", "-c", "echo; cat"},
                 .use_pipes = false});
  ASSERT_TRUE(eventually([&] { return !owner.output().empty(); }));
  const std::string of_owner = "/proc/" + std::to_string(owner.pid());
  ASSERT_EQ("deny\n", read_file(of_owner + "/setgroups"));
  Bundle joining(scratch() + "/joining");
  joining.with_namespace("user", of_owner + "/ns/user").without_mount("/dev/pts");
  joining.shell("grep ^Groups: /proc/self/status");
  CallersGroups groups({0, 4, 4242});
  Container container(runtime, joining);
  const Outcome outcome = container.run();
  EXPECT_OK(outcome);
  EXPECT_EQ("", field(outcome.out, "Groups:")) << outcome.out;
  owner.signal(SIGKILL);
}

// The same of a user namespace in which ocirt itself is already.
TEST_F(UserNamespaces, AroundTheCallerDoNotKeepItsGroups) {
  write_file(
      scratch() + "/inside",
      "#!/bin/sh\nmkfifo " + scratch() +
          "/mapped || exit 9\n"
          "setpriv --groups 0,4,4242 unshare --user --mount sh -c 'read go < " +
          scratch() + "/mapped; exec " + runtime.program() +
          " --rootless true \"$@\"' sh \"$@\" &\n"
          "until [ \"$(readlink /proc/$!/ns/user)\" != \"$(readlink /proc/self/ns/user)\" ]; do "
          "sleep 0.01; done\n"
          "for map in uid gid; do echo 0 0 1000 > /proc/$!/${map}_map || exit 9; done\n"
          "echo > " +
          scratch() + "/mapped\nwait $!\n",
      0755);
  bundle.without_namespace("user").remove("linux.uidMappings").remove("linux.gidMappings");
  bundle.shell("grep ^Groups: /proc/self/status");
  Runtime inside(scratch() + "/state", scratch() + "/inside");
  Container container(inside, bundle);
  const Outcome outcome = container.run();
  EXPECT_OK(outcome);
  EXPECT_EQ("", field(outcome.out, "Groups:")) << outcome.out;
}

TEST_F(UserNamespaces, HaveATerminal) {
  bundle.set("process.terminal", "true");
  ConsoleSocket socket(scratch() + "/console");
  bundle.shell("stat -c %u:%g /dev/console; tty; exec sleep 100");
  Container container(runtime, bundle);
  ASSERT_OK(container.create({"--console-socket", socket.path()}));
  Terminal terminal(socket.receive());
  ASSERT_OK(container.start());
  EXPECT_TRUE(terminal.read_until("0:5")) << terminal.seen();
  EXPECT_TRUE(terminal.read_until("/dev/pts/0")) << terminal.seen();
}

TEST_F(UserNamespaces, TheProgramCanReopenItsOutput) {
  bundle.set("process.user", R"({"uid": 10, "gid": 20})");
  EXPECT_EQ("again\n", run_shell("echo again >> /dev/stdout"));
}

TEST_F(UserNamespaces, HooksRunOutside) {
  const std::string seen = scratch() + "/seen";
  write_file(scratch() + "/hook",
             "#!/bin/sh\nreadlink /proc/self/ns/user > " + seen + "\nid -u >> " + seen + "\n",
             0755);
  bundle.set("hooks.createRuntime", "[{\"path\": \"" + scratch() + "/hook\"}]");
  run_shell("true");
  EXPECT_EQ(link_target("/proc/self/ns/user") + "\n0\n", read_file(seen));
}

TEST_F(UserNamespaces, TheStateOfACreatedContainerNamesItsInit) {
  bundle.shell("exec sleep 100");
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  EXPECT_EQ("created", container.status());
  const std::string status = read_file("/proc/" + std::to_string(container.pid()) + "/status");
  EXPECT_TRUE(field(status, "NSpid:").ends_with("\t1")) << status;
  EXPECT_TRUE(field(status, "Uid:").starts_with("100000\t")) << status;
  // Exec works before start too, and cannot look into init.
  const Outcome outcome =
      container.exec_shell("readlink /proc/1/root || echo no; (cat /proc/1/maps || true) | wc -c");
  EXPECT_EQ("no\n0\n", outcome.out) << outcome;
  ASSERT_OK(container.start());
  EXPECT_OK(container.kill("KILL"));
}

TEST_F(UserNamespaces, AreJoinedByPath) {
  bundle.shell("exec sleep 100");
  Container first(runtime, bundle);
  first.launch();
  const std::string path = "/proc/" + std::to_string(first.pid()) + "/ns/";
  Bundle joining(scratch() + "/joining");
  joining.with_namespace("user", path + "user").with_namespace("network", path + "net");
  joining.shell("cat /proc/self/uid_map; echo $$; exec sleep 100");
  Container second(runtime, joining);
  second.launch();
  const std::string other = "/proc/" + std::to_string(second.pid()) + "/ns/";
  EXPECT_EQ(link_target(path + "user"), link_target(other + "user"));
  EXPECT_EQ(link_target(path + "net"), link_target(other + "net"));
  EXPECT_NE(link_target(path + "pid"), link_target(other + "pid"));
  ASSERT_TRUE(eventually([&] { return lines(second.output()).size() == 2; }));
  EXPECT_EQ((std::vector<std::string>{"0", "100000", "65536", "1"}), words(second.output()));
  EXPECT_OK(second.exec({"mount"}));
}

TEST_F(UserNamespaces, AJoinedOneIsMappedAsTheDocumentSaysOrRefused) {
  bundle.shell("exec sleep 100");
  Container first(runtime, bundle);
  first.launch();
  Bundle joining(scratch() + "/joining");
  joining.with_namespace("user", "/proc/" + std::to_string(first.pid()) + "/ns/user");
  joining.set("linux.uidMappings", R"([{"containerID": 0, "hostID": 100000, "size": 65536}])");
  joining.set("linux.gidMappings", R"([{"containerID": 0, "hostID": 200000, "size": 65536}])");
  {
    Container second(runtime, joining);
    EXPECT_OK(second.run());
  }
  joining.set("linux.uidMappings", R"([{"containerID": 0, "hostID": 100001, "size": 65536}])");
  Container second(runtime, joining);
  EXPECT_FAILS(second.run(), 1, "mapped in another way");
}

TEST_F(UserNamespaces, APidNamespaceOfTheSameOneIsJoinedWithIt) {
  bundle.shell("exec sleep 100");
  Container first(runtime, bundle);
  first.launch();
  const std::string path = "/proc/" + std::to_string(first.pid()) + "/ns/";
  Bundle joining(scratch() + "/joining");
  joining.with_namespace("user", path + "user").with_namespace("pid", path + "pid");
  joining.shell("tr '\\0' ' ' < /proc/1/cmdline; exec sleep 100");
  Container second(runtime, joining);
  second.launch();
  ASSERT_TRUE(eventually([&] { return !second.output().empty(); }));
  EXPECT_EQ("sleep 100 ", second.output());
}

TEST_F(UserNamespaces, NetworkOfTheHostIsJoinedWithTheHostsRights) {
  bundle.with_namespace("network", "/proc/self/ns/net")
      .without_mount("/sys")
      .shell("exec sleep 100");
  Container container(runtime, bundle);
  container.launch();
  EXPECT_EQ(link_target("/proc/self/ns/net"),
            link_target("/proc/" + std::to_string(container.pid()) + "/ns/net"));
}

TEST_F(UserNamespaces, TheCgroupIsTheirsWhereItIsMountedToBeWritten) {
  NEEDS_CGROUP_V2();
  bundle.with_namespace("cgroup").shell("mkdir /sys/fs/cgroup/below && echo made; exec sleep 100");
  bundle.mount("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev"});
  Container container(runtime, bundle);
  container.launch();
  ASSERT_TRUE(eventually([&] { return !container.output().empty(); }));
  EXPECT_EQ("made\n", container.output());
  // What the kernel says may be given away is theirs, and nothing else: not their limits.
  const std::vector<std::string> theirs = lines(read_file("/sys/kernel/cgroup/delegate"));
  ASSERT_TRUE(contains(theirs, "cgroup.procs"));
  for (const std::string& file : names_in(container.cgroup(""))) {
    struct stat info{};
    ASSERT_EQ(0, stat((container.cgroup("") + "/" + file).c_str(), &info));
    const bool is_theirs = contains(theirs, file) || file == "below";
    EXPECT_EQ(is_theirs ? 100000u : 0u, info.st_uid) << file;
  }
}

TEST_F(UserNamespaces, TheCgroupStaysTheHostsWhereItIsReadOnly) {
  NEEDS_CGROUP_V2();
  bundle.with_namespace("cgroup").shell("exec sleep 100");
  bundle.mount("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "ro"});
  Container container(runtime, bundle);
  container.launch();
  struct stat info{};
  ASSERT_EQ(0, stat((container.cgroup("") + "/cgroup.procs").c_str(), &info));
  EXPECT_EQ(0u, info.st_uid);
}

TEST_F(UserNamespaces, CgroupsOfTheHostsNamespaceAreBound) {
  bundle.mount("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "ro"});
  EXPECT_NE("", run_shell("ls /sys/fs/cgroup"));
}

TEST_F(UserNamespaces, ClocksHaveOffsetsToo) {
  NEEDS_NAMESPACE("time");
  bundle.with_namespace("time").set("linux.timeOffsets", R"({"boottime": {"secs": 1000000}})");
  EXPECT_GE(std::atol(run_shell("cut -d. -f1 /proc/uptime").c_str()), 1000000);
}

TEST_F(UserNamespaces, WithoutAPidNamespaceInitNeedsNoChild) {
  bundle.without_namespace("pid").without_mount("/proc").shell("exec sleep 100");
  bundle.mount("/proc", "bind", "/proc", {"rbind"});
  Container container(runtime, bundle);
  container.launch();
  EXPECT_EQ(link_target("/proc/self/ns/pid"),
            link_target("/proc/" + std::to_string(container.pid()) + "/ns/pid"));
  EXPECT_OK(container.kill("KILL", {"--all"}));
}

}  // namespace
}  // namespace harness
