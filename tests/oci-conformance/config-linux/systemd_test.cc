// Cgroups by systemd: what `linux.cgroupsPath` and `linux.resources` mean then is not in the
// specification but in what engines rely on. Most of these need a systemd as the first process and
// RUNTIME_FLAGS=--systemd-cgroup, as `make check-vm` has them.
#include "tests/support/fixture.h"

namespace harness {
namespace {

class Systemd : public ContainerTest {
 protected:
  Systemd() { bundle.shell("exec sleep 100"); }

  void SetUp() override {
    ContainerTest::SetUp();
    if (!cgroups::by_systemd()) GTEST_SKIP() << "needs systemd and RUNTIME_FLAGS=--systemd-cgroup";
  }

  static std::string ask(Args arguments) {
    arguments.insert(arguments.begin(), "systemctl");
    return trim(run_command({.argv = arguments}).out);
  }
  static std::string property(const std::string& unit, const std::string& name) {
    return ask({"show", unit, "--value", "-p", name});
  }
  static std::string unit_of(const Container& container) { return container.id() + ".scope"; }
  // As engines call everything but create and run: nobody says again who makes the cgroups.
  Outcome without_flags(Args arguments) {
    arguments.insert(arguments.begin(), {runtime.program(), "--root", runtime.root()});
    return run_command({.argv = arguments});
  }
};

TEST_F(Systemd, HasTheContainerAsADelegatedScopeInItsSlice) {
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  EXPECT_EQ("active", property(unit_of(container), "ActiveState"));
  EXPECT_EQ(cgroups::test_parent().substr(1), property(unit_of(container), "Slice"));
  EXPECT_EQ(cgroups::group_of(container.id()), property(unit_of(container), "ControlGroup"));
  EXPECT_EQ("yes", property(unit_of(container), "Delegate"));
  EXPECT_SAYS(property(unit_of(container), "Description"), container.id());
}

TEST_F(Systemd, HasTheContainerUnderPrefixAndName) {
  bundle.keep_cgroups_path();
  bundle.set("linux.cgroupsPath", "\"" + cgroups::test_parent().substr(1) + ":engine:a+b\"");
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  EXPECT_EQ("active", property("engine-a\\x2bb.scope", "ActiveState"));
  EXPECT_SAYS(read_file("/proc/" + std::to_string(container.pid()) + "/cgroup"),
              cgroups::test_parent() + "/engine-a\\x2bb.scope\n");
}

// What a scope is delegated for: its processes make groups in it, hand controllers down, and
// systemd neither moves them back nor takes their limits away.
TEST_F(Systemd, LetsTheContainerDivideItsScope) {
  NEEDS_CGROUP_V2();
  bundle.with_namespace("cgroup");
  bundle.mount("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev"});
  bundle.shell(
      "cd /sys/fs/cgroup && mkdir inner && echo 1 >inner/cgroup.procs && "
      "echo '+pids +memory' >cgroup.subtree_control && echo 7 >inner/pids.max && echo done && "
      "exec sleep 100");
  Container container(runtime, bundle);
  container.launch();
  ASSERT_TRUE(eventually([&] { return container.output() == "done\n"; })) << container.errors();
  ask({"daemon-reload"});
  ASSERT_OK(without_flags({"update", "--pids-limit", "55", container.id()}));
  EXPECT_SAYS(read_file("/proc/" + std::to_string(container.pid()) + "/cgroup"),
              cgroups::group_of(container.id()) + "/inner\n");
  EXPECT_EQ("7\n", container.exec_shell("cat /sys/fs/cgroup/inner/pids.max").out);
  EXPECT_EQ("55", container.cgroup_file("pids", "pids.max"));
}

TEST_F(Systemd, HasASubgroupInTheScopeWhereOneIsAskedFor) {
  bundle.set("annotations", R"({"run.oci.systemd.subgroup": "payload"})");
  bundle.set("linux.resources.pids", R"({"limit": 44})");
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  const std::string text = read_file("/proc/" + std::to_string(container.pid()) + "/cgroup");
  EXPECT_SAYS(text, cgroups::group_of(container.id()) + "/payload\n");
  EXPECT_EQ("44", property(unit_of(container), "TasksMax"));
  ASSERT_OK(container.start());
  const Outcome inside = container.exec({"cat", "/proc/self/cgroup"});
  EXPECT_SAYS(inside.out, cgroups::group_of(container.id()) + "/payload\n");
  ASSERT_OK(without_flags({"update", "--pids-limit", "55", container.id()}));
  EXPECT_EQ("55", property(unit_of(container), "TasksMax"));
  EXPECT_OK(container.remove({"--force"}));
  EXPECT_TRUE(cgroups::leftovers().empty());
}

TEST_F(Systemd, KnowsTheLimitsOfTheContainer) {
  bundle.set("linux.resources.memory", R"({"limit": 41943040})");
  bundle.set("linux.resources.cpu", R"({"quota": 25000, "period": 50000})");
  bundle.set("linux.resources.pids", R"({"limit": 44})");
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  const bool v2 = cgroups::is_pure_v2();
  EXPECT_EQ("41943040", property(unit_of(container), v2 ? "MemoryMax" : "MemoryLimit"));
  EXPECT_EQ("44", property(unit_of(container), "TasksMax"));
  EXPECT_EQ("500ms", property(unit_of(container), "CPUQuotaPerSecUSec"));
  EXPECT_EQ("strict", property(unit_of(container), "DevicePolicy"));
}

TEST_F(Systemd, KnowsTheLimitsThatAnUpdateChanges) {
  NEEDS_CGROUP_V2();
  Container container(runtime, bundle);
  container.launch();
  ASSERT_OK(without_flags({"update", "--memory", "50331648", "--cpu-quota", "30000", "--cpu-period",
                           "100000", "--cpuset-cpus", "0", container.id()}));
  EXPECT_EQ("50331648", property(unit_of(container), "MemoryMax"));
  EXPECT_EQ("300ms", property(unit_of(container), "CPUQuotaPerSecUSec"));
  EXPECT_EQ("0", property(unit_of(container), "AllowedCPUs"));
  EXPECT_EQ("50331648", container.cgroup_file("memory", "memory.max"));
  EXPECT_EQ("30000 100000", container.cgroup_file("cpu", "cpu.max"));
  EXPECT_EQ("0", container.cgroup_file("cpuset", "cpuset.cpus"));
}

TEST_F(Systemd, DoesNotUndoAnUpdateWhenItReloads) {
  bundle.set("linux.resources.pids", R"({"limit": 44})");
  Container container(runtime, bundle);
  container.launch();
  ASSERT_OK(without_flags({"update", "--pids-limit", "55", container.id()}));
  EXPECT_EQ("55", property(unit_of(container), "TasksMax"));
  ask({"daemon-reload"});
  EXPECT_EQ("55", container.cgroup_file("pids", "pids.max"));
  EXPECT_OK(container.exec_shell("echo x >/dev/null && head -c 1 /dev/zero"));
}

TEST_F(Systemd, TakesPropertiesFromAnnotations) {
  bundle.set("annotations", R"({"org.systemd.property.TimeoutStopSec": "uint64 7",
    "org.systemd.property.KillSignal": "37", "org.systemd.property.After": "['dbus.service']"})");
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  EXPECT_EQ("7s", property(unit_of(container), "TimeoutStopUSec"));
  EXPECT_EQ("37", property(unit_of(container), "KillSignal"));
  EXPECT_SAYS(property(unit_of(container), "After"), "dbus.service");
}

TEST_F(Systemd, RefusesAPropertyThatItDoesNotKnowAndNothingIsLeft) {
  bundle.set("annotations", R"({"org.systemd.property.NoSuchThing": "true"})");
  Container container(runtime, bundle);
  const Outcome outcome = container.create();
  EXPECT_EQ(1, outcome.code);
  EXPECT_SAYS(outcome.err, "systemd unit " + unit_of(container));
  EXPECT_SAYS(outcome.err, "NoSuchThing");
  EXPECT_EQ("", runtime.status(container.id()));
}

// A unit that waits for another one, which does not come up, as long as a job is waited for.
TEST_F(Systemd, IsWaitedForThirtySecondsAndNotLonger) {
  const std::string slow = "ocirt-test-slow-" + std::to_string(getpid()) + ".service";
  ASSERT_OK(run_command({.argv = {"systemd-run", "--quiet", "--no-block", "--unit", slow,
                                  "--property=Type=oneshot", "sleep", "600"}}));
  bundle.set("annotations", "{\"org.systemd.property.Requires\": \"['" + slow +
                                "']\", \"org.systemd.property.After\": \"['" + slow + "']\"}");
  Container container(runtime, bundle);
  const Outcome outcome = container.create({}, {.time_limit_ms = 60000});
  EXPECT_EQ(1, outcome.code);
  EXPECT_SAYS(outcome.err, "systemd unit " + unit_of(container));
  EXPECT_SAYS(outcome.err, "did not finish the job in 30 seconds");
  EXPECT_EQ("", runtime.status(container.id()));
  EXPECT_TRUE(eventually([&] { return property(unit_of(container), "LoadState") == "not-found"; }));
  EXPECT_EQ("", ask({"list-jobs", "--no-legend", unit_of(container)}));
  ask({"stop", slow});
}

TEST_F(Systemd, ForgetsTheUnitWithDelete) {
  Container container(runtime, bundle);
  container.launch();
  ASSERT_OK(without_flags({"delete", "--force", container.id()}));
  EXPECT_EQ("not-found", property(unit_of(container), "LoadState"));
  EXPECT_TRUE(cgroups::leftovers().empty());
}

TEST_F(Systemd, ForgetsTheUnitOfACreateThatFailed) {
  bundle.args({"absent-program"});
  Container container(runtime, bundle);
  EXPECT_EQ(1, container.create().code);
  EXPECT_EQ("not-found", property(unit_of(container), "LoadState"));
}

TEST_F(Systemd, LeavesAFrozenCgroupOfItsUnitsNameAlone) {
  NEEDS_CGROUP_V2();
  Container container(runtime, bundle);
  const std::string frozen =
      cgroups::directory("", cgroups::test_parent() + "/" + unit_of(container));
  make_directories(frozen);
  write_file(frozen + "/cgroup.freeze", "1");
  for (int i = 0; i < 2; ++i)
    EXPECT_FAILS(container.create(), 1, "container's cgroup unexpectedly frozen: " + frozen);
  EXPECT_EQ("1\n", read_file(frozen + "/cgroup.freeze"));
  EXPECT_EQ(0, ::rmdir(frozen.c_str()));
}

TEST_F(Systemd, IsNamedInTheStateWithTheUnit) {
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  EXPECT_SAYS(runtime.run({"state", container.id()}).out,
              "\"systemd-scope\": \"" + unit_of(container) + "\"");
}

TEST_F(Systemd, KeepsTheContainerWhoseUnitASecondOneWants) {
  Container first(runtime, bundle);
  first.launch();
  Bundle other(bundle.path() + "-2");
  other.keep_cgroups_path();
  other.set("linux.cgroupsPath", "\"" + cgroups::cgroups_path(first.id()) + "\"");
  Container second(runtime, other);
  const Outcome outcome = second.create();
  EXPECT_EQ(1, outcome.code);
  EXPECT_SAYS(outcome.err, unit_of(first));
  EXPECT_EQ("running", first.status());
}

TEST_F(Systemd, MakesASliceOfAContainerThatAsksForOne) {
  const std::string slice = cgroups::test_parent().substr(1);
  const std::string inner = slice.substr(0, slice.size() - 6) + "-inner.slice";
  bundle.keep_cgroups_path();
  bundle.set("linux.cgroupsPath", "\"" + slice + "::" + inner + "\"");
  Container container(runtime, bundle);
  container.launch();
  EXPECT_SAYS(read_file("/proc/" + std::to_string(container.pid()) + "/cgroup"),
              "/" + slice + "/" + inner);
  EXPECT_EQ("active", property(inner, "ActiveState"));
  ASSERT_OK(container.remove({"--force"}));
  EXPECT_NE("active", property(inner, "ActiveState"));
}

TEST_F(Systemd, RefusesAPathThatIsNoUnit) {
  bundle.keep_cgroups_path();
  bundle.set("linux.cgroupsPath", "\"/a/b\"");
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create(), 1, "expected \"SLICE:PREFIX:NAME\"");
}

class WithoutSystemd : public ContainerTest {};

TEST_F(WithoutSystemd, TheProgramThatIsMissingIsNamed) {
  write_file(bundle.path() + "/alone", read_file(runtime.program()), 0755);
  bundle.keep_cgroups_path();
  bundle.save("c1");
  const Outcome outcome =
      run_command({.argv = {bundle.path() + "/alone", "--root", runtime.root(), "--systemd-cgroup",
                            "create", "--bundle", bundle.path(), "c1"}});
  EXPECT_FAILS(outcome, 1, "the program ocirt-systemd is missing");
}

TEST_F(WithoutSystemd, NothingIsMadeWhereItDoesNotRun) {
  if (exists("/run/systemd/system")) GTEST_SKIP() << "systemd runs here";
  if (!features()["linux"]["cgroup"]["systemd"].is_true())
    GTEST_SKIP() << "built without support for systemd";
  runtime.global = {"--cgroup-manager", "systemd"};
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create(), 1, "which does not run on this host");
}

}  // namespace
}  // namespace harness
