// Containers of an ordinary user whose cgroups that user's own systemd makes: the part of the tree
// below user@UID.service is its, with the controllers that systemd has delegated to it. The user is
// one of the virtual machine of tests/vm, whose service manager runs without a login.
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/fixture.h"

namespace harness {
namespace {

constexpr char kName[] = "ordinary";

class SystemdOfAUser : public ContainerTest {
 protected:
  SystemdOfAUser() : user_(scratch() + "/run/ocirt", program()) {
    make_directories(user_.root());
    give_away(scratch() + "/run");
    give_away(user_.root());
    give_away(bundle.rootfs());
    const std::string id = std::to_string(uid());
    const std::string map = R"([{"containerID": 0, "hostID": )" + id + R"(, "size": 1}])";
    bundle.with_namespace("user").without_namespace("network").without_mount("/sys");
    bundle.mount("/sys", "none", "/sys", {"rbind", "nosuid", "noexec", "nodev", "ro"});
    bundle.without_mount("/dev/pts");
    bundle.mount("/dev/pts", "devpts", "devpts", {"nosuid", "noexec", "newinstance", "mode=0620"});
    bundle.set("linux.uidMappings", map).set("linux.gidMappings", map);
    bundle.keep_cgroups_path().shell("exec sleep 100");
  }

  void SetUp() override {
    ContainerTest::SetUp();
    if (!cgroups::by_systemd()) GTEST_SKIP() << "needs systemd and RUNTIME_FLAGS=--systemd-cgroup";
    NEEDS_CGROUP_V2();
    // It has to be there before the tests: these have a mount namespace of their own.
    if (!exists("/run/user/" + std::to_string(uid()) + "/systemd/private"))
      GTEST_SKIP() << "needs the user " << kName << " with a running " << manager();
  }

  static uid_t uid() {
    const passwd* entry = getpwnam(kName);
    return entry == nullptr ? getuid() : entry->pw_uid;
  }
  static std::string manager() { return "user@" + std::to_string(uid()) + ".service"; }
  // The cgroup below which the user's systemd makes units.
  static std::string top() {
    return "/user.slice/user-" + std::to_string(uid()) + ".slice/" + manager();
  }
  static void give_away(const std::string& path) {
    EXPECT_EQ(0, chown(path.c_str(), uid(), uid())) << path;
  }
  // A command line that the user gives, outside of what the user's systemd looks after.
  static Args as_user(Args arguments) {
    const std::string id = std::to_string(uid());
    arguments.insert(arguments.begin(),
                     {"setpriv", "--reuid", id, "--regid", id, "--init-groups", "env", "-i",
                      "PATH=/usr/sbin:/usr/bin", "XDG_RUNTIME_DIR=/run/user/" + id});
    return arguments;
  }
  // ocirt as the user runs it.
  std::string program() {
    const std::string& original = runtime.program();
    const std::string folder = original.substr(0, original.rfind('/'));
    for (const char* name : {"ocirt", "ocirt-systemd"}) {
      const std::string from = name == std::string("ocirt") ? original : folder + "/" + name;
      if (exists(from)) write_file(scratch() + "/" + name, read_file(from), 0755);
    }
    std::string script = "#!/bin/sh\nexec";
    for (const std::string& word : as_user({scratch() + "/ocirt"})) script += " " + word;
    write_file(scratch() + "/user", script + " \"$@\"\n", 0755);
    return scratch() + "/user";
  }
  static std::string property(const std::string& unit, const std::string& name) {
    return trim(
        run_command({.argv = as_user({"systemctl", "--user", "show", unit, "--value", "-p", name})})
            .out);
  }
  static std::string group_of(const Container& container) {
    return trim(read_file("/proc/" + std::to_string(container.pid()) + "/cgroup"));
  }

  Runtime user_;
};

TEST_F(SystemdOfAUser, HasTheContainerInAScopeOfItsOwn) {
  Container container(user_, bundle);
  container.launch();
  const std::string unit = "ocirt-" + container.id() + ".scope";
  EXPECT_EQ("0::" + top() + "/user.slice/" + unit, group_of(container));
  EXPECT_EQ("active", property(unit, "ActiveState"));
  EXPECT_EQ("yes", property(unit, "Delegate"));
  EXPECT_OK(user_.run({"pause", container.id()}));
  EXPECT_EQ("paused", container.status());
  EXPECT_OK(user_.run({"resume", container.id()}));
  EXPECT_SAYS(container.exec({"cat", "/proc/self/cgroup"}).out, unit);
  ASSERT_OK(container.remove({"--force"}));
  EXPECT_EQ("not-found", property(unit, "LoadState"));
}

TEST_F(SystemdOfAUser, KnowsTheLimitsOfTheContainer) {
  bundle.set("linux.cgroupsPath", "\"user.slice:engine:limited\"");
  bundle.set("linux.resources.pids", R"({"limit": 44})");
  bundle.set("linux.resources.memory", R"({"limit": 41943040})");
  Container container(user_, bundle);
  container.launch();
  const std::string group = top() + "/user.slice/engine-limited.scope";
  EXPECT_EQ("0::" + group, group_of(container));
  EXPECT_EQ("44\n", read_file("/sys/fs/cgroup" + group + "/pids.max"));
  EXPECT_EQ("41943040\n", read_file("/sys/fs/cgroup" + group + "/memory.max"));
  EXPECT_EQ("44", property("engine-limited.scope", "TasksMax"));
  ASSERT_OK(user_.run({"update", "--pids-limit", "55", container.id()}));
  EXPECT_EQ("55", property("engine-limited.scope", "TasksMax"));
  EXPECT_EQ("55\n", read_file("/sys/fs/cgroup" + group + "/pids.max"));
}

TEST_F(SystemdOfAUser, WithoutASessionTheRemedyIsTold) {
  bundle.save("c1");
  Args command = as_user({scratch() + "/ocirt", "--root", user_.root(), "--systemd-cgroup",
                          "create", "--bundle", bundle.path(), "c1"});
  for (std::string& word : command)
    if (word.starts_with("XDG_RUNTIME_DIR=")) word = "XDG_RUNTIME_DIR=" + scratch() + "/run";
  EXPECT_FAILS(run_command({.argv = command}), 1, "is the user logged in?");
  EXPECT_TRUE(names_in(user_.root()).empty());
}

}  // namespace
}  // namespace harness
