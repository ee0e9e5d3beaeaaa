// A container of an ordinary user: its own ids in a user namespace, no cgroups, a state directory
// of its own. The user is made by this test: ids that nobody has, and a mount namespace in which
// /etc/passwd, /etc/subuid and /etc/subgid know it.
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/fixture.h"

namespace harness {
namespace {

constexpr uid_t kUser = 543210;

class Rootless : public ContainerTest {
 protected:
  Rootless() : user_(scratch() + "/run/ocirt", program("ordinary", "")) {
    make_directories(scratch() + "/run");
    give_away(scratch() + "/run");
    const std::string id = std::to_string(kUser);
    bundle.with_namespace("user").without_namespace("network").without_mount("/sys");
    bundle.mount("/sys", "none", "/sys", {"rbind", "nosuid", "noexec", "nodev", "ro"});
    bundle.without_mount("/dev/pts");
    bundle.mount("/dev/pts", "devpts", "devpts", {"nosuid", "noexec", "newinstance", "mode=0620"});
    bundle.set("linux.uidMappings", "[{\"containerID\": 0, \"hostID\": " + id + ", \"size\": 1}]");
    bundle.set("linux.gidMappings", "[{\"containerID\": 0, \"hostID\": " + id + ", \"size\": 1}]");
    give_away(bundle.rootfs());
  }
  void SetUp() override {
    ContainerTest::SetUp();
    if (cgroups::by_systemd())
      GTEST_SKIP() << "a user of this machine without a systemd of his own";
    NEEDS_NAMESPACE("user");
    if (read_file("/proc/sys/user/max_user_namespaces") == "0\n")
      GTEST_SKIP() << "this machine has no user namespaces";
  }

  // A script that is the runtime, called by the user; `before` runs as root in a mount namespace
  // that only the script sees; `last` is what becomes the runtime.
  std::string program(const std::string& name, const std::string& before,
                      const std::string& last = "") {
    const std::string copy = scratch() + "/runtime";
    if (!exists(copy)) write_file(copy, read_file(runtime.program()), 0755);
    std::string script = "#!/bin/sh\n" + before + "exec setpriv --reuid " + std::to_string(kUser) +
                         " --regid " + std::to_string(kUser) + " --clear-groups env " +
                         "XDG_RUNTIME_DIR=" + scratch() + "/run " + last + copy + " \"$@\"\n";
    if (!before.empty()) {
      write_file(scratch() + "/" + name + ".inner", script, 0755);
      script = "#!/bin/sh\nexec unshare --mount --propagation private " + scratch() + "/" + name +
               ".inner \"$@\"\n";
    }
    write_file(scratch() + "/" + name, script, 0755);
    return scratch() + "/" + name;
  }
  static void give_away(const std::string& path) {
    EXPECT_EQ(0, chown(path.c_str(), kUser, kUser)) << path;
  }
  // The same user, to whom ids from 700000 on have been granted.
  std::string with_granted_ids() {
    const std::string id = std::to_string(kUser);
    std::string before;
    for (const char* file : {"passwd", "subuid", "subgid"}) {
      std::string text =
          exists(std::string("/etc/") + file) ? read_file(std::string("/etc/") + file) : "";
      text += file == std::string("passwd") ? "ordinary:x:" + id + ":" + id + "::/:/bin/sh\n"
                                            : "ordinary:700000:1000\n";
      const std::string copy = scratch() + "/" + file;
      write_file(copy, text, 0644);
      before += "mount --bind " + copy + " /etc/" + file + " || exit 9\n";
    }
    return program("granted", before);
  }
  // A program as it is for a user with this mapping: id 0 is the user, 1 to 1000 are granted ones.
  void map_granted_ids() {
    const std::string id = std::to_string(kUser);
    const std::string map = "[{\"containerID\": 0, \"hostID\": " + id +
                            ", \"size\": 1}, {\"containerID\": 1, \"hostID\": 700000, \"size\": "
                            "1000}]";
    bundle.set("linux.uidMappings", map).set("linux.gidMappings", map);
  }

  Runtime user_;
};

TEST_F(Rootless, RunsAProgramAsItsRoot) {
  bundle.shell("id -u; id -g; cat /proc/self/uid_map /proc/self/setgroups; echo $$");
  Container container(user_, bundle);
  const Outcome outcome = container.run();
  EXPECT_OK(outcome);
  EXPECT_EQ((std::vector<std::string>{"0", "0", "0", std::to_string(kUser), "1", "deny", "1"}),
            words(outcome.out));
}

TEST_F(Rootless, TakesFileSystemsWhileItRuns) {
  bundle.directory("/x").shell("exec sleep 100");
  Container container(user_, bundle);
  container.launch();
  Command list;
  list.input = R"([{"destination": "/x", "type": "tmpfs"}])";
  EXPECT_OK(user_.run({"mounts", "add", container.id(), "-"}, list));
  EXPECT_EQ("tmpfs\n0\n", container.exec_shell("stat -f -c %T /x; stat -c %u /x").out);
  EXPECT_OK(user_.run({"mounts", "remove", container.id(), "-"}, list));
  EXPECT_EQ("0\n", container.exec_shell("grep -c ' /x ' /proc/mounts").out);
  list.input = R"([{"destination": "/x", "source": "/", "options": ["bind"]}])";
  EXPECT_FAILS(user_.run({"mounts", "add", container.id(), "-"}, list), 1,
               "not supported: to hand / of the host to a container takes CAP_SYS_ADMIN");
}

TEST_F(Rootless, LivesItsWholeLife) {
  bundle.shell("exec sleep 100");
  Container container(user_, bundle);
  container.launch();
  EXPECT_EQ("running", container.status());
  const std::string status = read_file("/proc/" + std::to_string(container.pid()) + "/status");
  EXPECT_TRUE(field(status, "Uid:").starts_with(std::to_string(kUser) + "\t")) << status;
  const Outcome outcome = container.exec({"sh", "-c", "id -u; echo $PPID; cat /proc/1/cmdline"});
  EXPECT_OK(outcome);
  EXPECT_SAYS(outcome.out, "0\n0\nsleep");
  const Outcome listed = user_.run({"list", "--quiet"});
  EXPECT_EQ(container.id() + "\n", listed.out) << listed;
  EXPECT_OK(container.kill("KILL"));
  container.wait_for_exit();
  EXPECT_EQ("stopped", container.status());
  EXPECT_OK(container.remove());
}

TEST_F(Rootless, TheWrittenExampleRuns) {
  const std::string made = scratch() + "/made";
  make_directories(made);
  make_rootfs(made + "/rootfs");
  give_away(made);
  give_away(made + "/rootfs");
  ASSERT_OK(user_.run({"spec", "--rootless", "--bundle", made}));
  std::string text = read_file(made + "/config.json");
  const size_t at = text.find("\"terminal\": true");
  ASSERT_NE(std::string::npos, at);
  text.replace(at, 16, "\"terminal\": false");
  const size_t program = text.find("\"sh\"");
  ASSERT_NE(std::string::npos, program);
  text.replace(program, 4, "\"id\", \"-u\"");
  write_file(made + "/config.json", text);
  const Outcome outcome = user_.run({"run", "--bundle", made, "example"});
  EXPECT_OK(outcome);
  EXPECT_EQ("0\n", outcome.out);
}

TEST_F(Rootless, TheStateIsInTheUsersRuntimeDirectoryAndStays) {
  bundle.shell("exec sleep 100");
  Container container(user_, bundle);
  container.launch();
  struct stat info{};
  ASSERT_EQ(0, stat(user_.root().c_str(), &info));
  EXPECT_EQ(kUser, info.st_uid);
  EXPECT_EQ(01700u, info.st_mode & 07777);
  // Without --root, the same.
  const Outcome outcome = run_command({.argv = {user_.program(), "state", container.id()}});
  EXPECT_OK(outcome);
}

TEST_F(Rootless, WithoutAUserNamespaceTheRemedyIsTold) {
  bundle.remove("linux.uidMappings").remove("linux.gidMappings").without_namespace("user");
  Container container(user_, bundle);
  EXPECT_FAILS(container.create(), 1, "ocirt spec --rootless");
}

TEST_F(Rootless, LimitsWithoutARightToCgroupsAreAnError) {
  bundle.set("linux.resources", R"({"pids": {"limit": 100}})");
  Container container(user_, bundle);
  EXPECT_FAILS(container.create(), 1, "limits (linux.resources) take a cgroup");
  EXPECT_TRUE(names_in(user_.root()).empty());
  bundle.set("linux.resources", R"({"devices": [{"allow": false, "access": "rwm"}]})");
  EXPECT_OK(container.run());
}

TEST_F(Rootless, AnotherUsersIdIsNotMapped) {
  bundle.set("linux.uidMappings", R"([{"containerID": 0, "hostID": 0, "size": 1}])");
  Container container(user_, bundle);
  const Outcome outcome = container.create();
  EXPECT_EQ(1, outcome.code) << outcome;
  EXPECT_SAYS(outcome.err, "linux.uidMappings");
}

TEST_F(Rootless, IsRefusedWhenItIsNotWanted) {
  user_.global = {"--rootless", "false"};
  Container container(user_, bundle);
  EXPECT_FAILS(container.create(), 1, "--rootless false");
}

// His other processes count as well, so what happens between the least limit and a wide one
// depends.
TEST_F(Rootless, ALimitOfHisProcessesIsSaidAndLeavesNothing) {
  bundle.shell("echo ran");
  for (const int limit : {1, 2, 3, 4, 1000}) {
    const std::string number = std::to_string(limit);
    // Of the runtime alone: a sanitizer looks for leaks in a process of its own.
    const Runtime limited(
        user_.root(),
        program("limited" + number, "",
                "ASAN_OPTIONS=disable_coredump=0:detect_leaks=0 prlimit --nproc=" + number + " "));
    Container container(limited, bundle);
    const Outcome outcome = container.run();
    if (outcome.ok()) {
      EXPECT_LT(1, limit) << outcome;
      EXPECT_EQ("ran\n", outcome.out) << outcome;
    } else {
      EXPECT_GT(1000, limit) << outcome;
      EXPECT_EQ(1u, lines(outcome.err).size()) << outcome;
      EXPECT_SAYS(outcome.err, "a limit of processes is reached: RLIMIT_NPROC of the user");
    }
    EXPECT_EQ(std::vector<std::string>(), names_in(user_.root())) << outcome;
  }
}

TEST_F(Rootless, GrantedIdsAreMapped) {
  if (!exists("/usr/bin/newuidmap")) GTEST_SKIP() << "newuidmap is not installed";
  map_granted_ids();
  Runtime granted(user_.root(), with_granted_ids());
  bundle.set("process.user", R"({"uid": 10, "gid": 20, "additionalGids": [30]})");
  bundle.shell("id | sed 's/([^)]*)//g'; exec sleep 100");
  Container container(granted, bundle);
  container.launch();
  ASSERT_TRUE(eventually([&] { return !container.output().empty(); }));
  EXPECT_EQ("uid=10 gid=20 groups=30\n", container.output());
  const std::string status = read_file("/proc/" + std::to_string(container.pid()) + "/status");
  EXPECT_TRUE(field(status, "Uid:").starts_with("700009\t")) << status;
  const Outcome outcome = container.exec({"id", "-u"}, {"--user", "11:12"});
  EXPECT_OK(outcome);
  EXPECT_EQ("11\n", outcome.out);
  EXPECT_OK(container.kill("KILL"));  // a process of another user, in a namespace of ours
}

TEST_F(Rootless, IdsThatAreNotGrantedAreRefused) {
  if (!exists("/usr/bin/newuidmap")) GTEST_SKIP() << "newuidmap is not installed";
  map_granted_ids();
  Container container(user_, bundle);
  const Outcome outcome = container.create();
  EXPECT_EQ(1, outcome.code) << outcome;
  EXPECT_SAYS(outcome.err, "newuidmap did not map them");
  EXPECT_TRUE(names_in(user_.root()).empty());
}

// The user has become root of a user namespace, as podman and `unshare -r` do it, and the container
// is to be in the same one.
TEST_F(Rootless, RootOfAUserNamespaceRunsAContainerInTheSame) {
  const std::string id = std::to_string(kUser), outer = scratch() + "/outer";
  write_file(outer,
             "#!/bin/sh\nexec setpriv --reuid " + id + " --regid " + id +
                 " --clear-groups unshare " + "--user --map-root-user --mount " + scratch() +
                 "/runtime --rootless true \"$@\"\n",
             0755);
  bundle.without_namespace("user").remove("linux.uidMappings").remove("linux.gidMappings");
  bundle.with_namespace("network").without_mount("/sys");
  bundle.mount("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"});
  bundle.shell(
      "id -u; cat /proc/self/uid_map; stat -c %t:%T /dev/null; : > /dev/null; ls /sys/class/net");
  Runtime inside(user_.root(), outer);
  Container container(inside, bundle);
  const Outcome outcome = container.run();
  EXPECT_OK(outcome);
  EXPECT_EQ((std::vector<std::string>{"0", "0", id, "1", "1:3", "lo"}), words(outcome.out));
}

// A cgroup that root has given to the user, with the user's shell in a part of it: what systemd
// makes of a login session with Delegate=yes.
class RootlessDelegated : public Rootless {
 protected:
  void SetUp() override {
    Rootless::SetUp();
    if (IsSkipped()) return;
    NEEDS_CGROUP_V2();
    own_ = cgroups::test_parent() + "/delegated";
    for (const char* below : {"", "/session"}) {
      const std::string directory = cgroups::directory("", own_ + below);
      make_directories(directory);
      give_away(directory);
      for (const std::string& file : lines(read_file("/sys/kernel/cgroup/delegate"))) {
        if (exists(directory + "/" + file)) give_away(directory + "/" + file);
      }
    }
    bundle.keep_cgroups_path().set("linux.cgroupsPath", "\"" + own_ + "/container\"");
  }
  void TearDown() override {
    for (const char* below : {"/session", ""}) rmdir(cgroups::directory("", own_ + below).c_str());
    Rootless::TearDown();
  }
  // The runtime, called by the user from the session.
  std::string in_session() {
    return program("in-session", "echo $$ > " + cgroups::directory("", own_ + "/session") +
                                     "/cgroup.procs || exit 9\n");
  }

  std::string own_;
};

TEST_F(RootlessDelegated, TheContainerIsInACgroupOfItsOwn) {
  Runtime session(user_.root(), in_session());
  bundle.shell("exec sleep 100");
  Container container(session, bundle);
  container.launch();
  const std::string pid = std::to_string(container.pid());
  EXPECT_SAYS(read_file("/proc/" + pid + "/cgroup"), "0::" + own_ + "/container\n");
  const std::string directory = cgroups::directory("", own_ + "/container");
  struct stat info{};
  ASSERT_EQ(0, stat(directory.c_str(), &info));
  EXPECT_EQ(kUser, info.st_uid);

  EXPECT_OK(session.run({"pause", container.id()}));
  EXPECT_EQ("paused", container.status());
  EXPECT_SAYS(read_file(directory + "/cgroup.events"), "frozen 1");
  EXPECT_OK(session.run({"resume", container.id()}));
  const Outcome ps = session.run({"ps", "--format", "json", container.id()});
  EXPECT_EQ("[" + pid + "]\n", ps.out) << ps;
  const Outcome seen = container.exec({"cat", "/proc/self/cgroup"});
  EXPECT_OK(seen);
  EXPECT_OK(container.kill("KILL", {"--all"}));
  container.wait_for_exit();
  EXPECT_OK(container.remove());
  EXPECT_FALSE(exists(directory));
}

TEST_F(RootlessDelegated, LimitsAreInForceWhereTheirControllerIsGivenToo) {
  NEEDS_CONTROLLER("hugetlb");
  const std::string above = cgroups::directory("", cgroups::test_parent());
  write_file(above + "/../cgroup.subtree_control", "+hugetlb");
  write_file(above + "/cgroup.subtree_control", "+hugetlb");
  Runtime session(user_.root(), in_session());
  bundle.set("linux.resources", R"({"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}]})");
  bundle.shell("exec sleep 100");
  {
    Container container(session, bundle);
    container.launch();
    const std::string directory = cgroups::directory("", own_ + "/container");
    EXPECT_EQ("4194304\n", read_file(directory + "/hugetlb.2MB.max"));
    EXPECT_OK(session.run({"events", "--stats", container.id()}));
  }
  write_file(cgroups::directory("", own_) + "/cgroup.subtree_control", "-hugetlb");
  write_file(above + "/cgroup.subtree_control", "-hugetlb");
}

TEST_F(RootlessDelegated, ACgroupThatWasNotGivenIsRefusedToLimits) {
  Runtime session(user_.root(), in_session());
  bundle.set("linux.cgroupsPath", "\"" + cgroups::test_parent() + "/other\"");
  bundle.set("linux.resources", R"({"pids": {"limit": 100}})");
  Container container(session, bundle);
  EXPECT_FAILS(container.create(), 1, "limits (linux.resources) take a cgroup");
}

}  // namespace
}  // namespace harness
