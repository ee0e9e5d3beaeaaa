// config-linux.md, "Control groups": where init is, what the kernel's files say, and that the
// limits bite. Values are read by the names of version 1 where those hierarchies are mounted.
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "tests/support/fixture.h"

namespace harness {
namespace {

class ControlGroups : public ContainerTest {
 protected:
  ControlGroups() { bundle.shell("echo ready; exec sleep 100"); }
  // All containers of this test in one cgroup.
  void put_together() {
    bundle.keep_cgroups_path();
    bundle.set("linux.cgroupsPath", "\"" + cgroups::cgroups_path("together") + "\"");
  }
};

TEST_F(ControlGroups, InitIsInItsGroupOfEveryHierarchyWhenCreateReturns) {
  SPEC("config-linux.md#cgroups-path",
       "cgroupsPath specifies the path to the cgroup. Runtimes MUST attach the process to it.");
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  const std::string path = cgroups::group_of(container.id());
  const std::string text = read_file("/proc/" + std::to_string(container.pid()) + "/cgroup");
  for (const std::string& line : lines(text)) {
    // A hybrid's version 2 hierarchy has no controllers; a runtime may leave it alone. Where only
    // version 2 is mounted, the kernel may list hierarchies that nobody can reach.
    if (line.starts_with("0::") != cgroups::is_pure_v2()) continue;
    EXPECT_TRUE(line.ends_with(":" + path)) << line << "\nin\n" << text;
  }
  const std::string any = cgroups::is_pure_v2() ? "" : "devices";
  EXPECT_EQ(std::vector<int>{container.pid()}, cgroups::pids_in(container.cgroup(any)));
}

TEST_F(ControlGroups, ArePlacedBelowOursWhenNoPathIsGiven) {
  bundle.keep_cgroups_path();
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  const std::string text = read_file("/proc/" + std::to_string(container.pid()) + "/cgroup");
  EXPECT_SAYS(text, container.id());
}

// Engines put the containers of a pod into one.
TEST_F(ControlGroups, OfOthersAreTakenWithAWarningAndLeftToThem) {
  if (cgroups::by_systemd()) GTEST_SKIP() << "a unit of systemd is one container's";
  put_together();
  Container first(runtime, bundle);
  first.launch();
  {
    Container second(runtime, bundle);
    second.launch();
    EXPECT_SAYS(second.errors(), "container's cgroup is not empty");
    EXPECT_OK(second.remove({"--force"}));
  }
  EXPECT_EQ("running", first.status());
}

// Without a pid namespace the end of a container is not that of its processes, which are looked for
// in its cgroup: not where others are in it.
TEST_F(ControlGroups, OfOthersOutliveContainersInThePidNamespaceOfTheHost) {
  if (cgroups::by_systemd()) GTEST_SKIP() << "a unit of systemd is one container's";
  put_together();
  Container first(runtime, bundle);
  first.launch();
  bundle.without_namespace("pid").without_mount("/proc");
  {
    Container killed(runtime, bundle);
    killed.launch();
    EXPECT_OK(killed.kill("KILL"));
    killed.wait_for_exit();
  }
  EXPECT_EQ("running", first.status());
  bundle.shell("true");
  EXPECT_EQ("", run_bundle());
  EXPECT_EQ("running", first.status());
}

TEST_F(ControlGroups, AreRemovedByDelete) {
  Container container(runtime, bundle);
  container.launch();
  ASSERT_FALSE(cgroups::leftovers().empty());
  ASSERT_OK(container.remove({"--force"}));
  EXPECT_TRUE(cgroups::leftovers().empty());
}

TEST_F(ControlGroups, AreRemovedWithTheGroupsThatTheContainerMadeInside) {
  NEEDS_CGROUP_V2();
  bundle.with_namespace("cgroup");
  bundle.mount("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev"});
  bundle.shell("mkdir -p /sys/fs/cgroup/inner/deep && echo made");
  EXPECT_EQ("made\n", run_bundle());
  EXPECT_TRUE(cgroups::leftovers().empty());
}

TEST_F(ControlGroups, AreRemovedAfterAFailedCreate) {
  bundle.args({"absent-program"});
  Container container(runtime, bundle);
  EXPECT_EQ(1, container.create().code);
  EXPECT_TRUE(cgroups::leftovers().empty());
}

TEST_F(ControlGroups, HaveTheMemoryLimit) {
  SPEC("config-linux.md#memory", "limit sets limit of memory usage.");
  NEEDS_CONTROLLER("memory");
  bundle.set("linux.resources.memory", R"({"limit": 33554432, "reservation": 16777216})");
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  if (cgroups::is_pure_v2()) {
    EXPECT_EQ("33554432", container.cgroup_file("memory", "memory.max"));
    EXPECT_EQ("16777216", container.cgroup_file("memory", "memory.low"));
  } else {
    EXPECT_EQ("33554432", container.cgroup_file("memory", "memory.limit_in_bytes"));
    EXPECT_EQ("16777216", container.cgroup_file("memory", "memory.soft_limit_in_bytes"));
  }
}

TEST_F(ControlGroups, HaveNoMemoryLimitForMinusOne) {
  NEEDS_CONTROLLER("memory");
  bundle.set("linux.resources.memory.limit", "-1");
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  if (cgroups::is_pure_v2())
    EXPECT_EQ("max", container.cgroup_file("memory", "memory.max"));
  else
    EXPECT_GT(container.cgroup_file("memory", "memory.limit_in_bytes").size(), 15u);
}

TEST_F(ControlGroups, KillWhatExceedsTheMemoryLimit) {
  NEEDS_CONTROLLER("memory");
  bundle.set("linux.resources.memory", R"({"limit": 20971520, "swap": 20971520})");
  // A shell variable of 64 MiB.
  bundle.shell("x=$(head -c 67108864 /dev/zero | tr '\\0' x); echo survived");
  Container container(runtime, bundle);
  const Outcome outcome = container.run();
  EXPECT_NE(0, outcome.code) << outcome;
  EXPECT_EQ("", outcome.out);
}

TEST_F(ControlGroups, HaveTheCpuSharesQuotaAndPeriod) {
  SPEC("config-linux.md#cpu", "shares, quota, period");
  NEEDS_CONTROLLER("cpu");
  bundle.set("linux.resources.cpu", R"({"shares": 512, "quota": 20000, "period": 50000})");
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  if (cgroups::is_pure_v2()) {
    EXPECT_EQ("20000 50000", container.cgroup_file("cpu", "cpu.max"));
    // Runtimes convert by a linear or, since 2025, by a quadratic formula.
    const int weight = std::atoi(container.cgroup_file("cpu", "cpu.weight").c_str());
    EXPECT_TRUE(weight >= 19 && weight <= 60) << weight;
  } else {
    EXPECT_EQ("512", container.cgroup_file("cpu", "cpu.shares"));
    if (!exists(container.cgroup("cpu") + "/cpu.cfs_quota_us"))
      GTEST_SKIP() << "this kernel has no CFS bandwidth control";
    EXPECT_EQ("20000", container.cgroup_file("cpu", "cpu.cfs_quota_us"));
    EXPECT_EQ("50000", container.cgroup_file("cpu", "cpu.cfs_period_us"));
  }
}

TEST_F(ControlGroups, HaveTheProcessorsAndMemoryNodes) {
  SPEC("config-linux.md#cpu", "cpus and mems");
  NEEDS_CONTROLLER("cpuset");
  bundle.set("linux.resources.cpu", R"({"cpus": "0", "mems": "0"})");
  bundle.shell("grep Cpus_allowed_list /proc/self/status");
  EXPECT_EQ("0", field(run_bundle(), "Cpus_allowed_list:"));
}

TEST_F(ControlGroups, HaveThePidsLimitAndItBites) {
  SPEC("config-linux.md#pids", "limit specifies the maximum number of tasks in the cgroup.");
  NEEDS_CONTROLLER("pids");
  bundle.set("linux.resources.pids.limit", "6");
  bundle.shell("for i in 1 2 3 4 5 6 7 8 9; do sleep 1 & done; echo not reached");
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  EXPECT_EQ("6", container.cgroup_file("pids", "pids.max"));
  ASSERT_OK(container.start());
  EXPECT_TRUE(eventually([&] { return container.errors().find("fork") != std::string::npos; }))
      << container.output() << container.errors();
}

TEST_F(ControlGroups, HaveTheHugePageLimit) {
  SPEC("config-linux.md#huge-page-limits", "hugepageLimits represents the hugetlb controller.");
  NEEDS_CONTROLLER("hugetlb");
  if (!exists("/sys/kernel/mm/hugepages/hugepages-2048kB"))
    GTEST_SKIP() << "this machine has no pages of 2 MB";
  bundle.set("linux.resources.hugepageLimits", R"([{"pageSize": "2MB", "limit": 4194304}])");
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  EXPECT_EQ("4194304",
            container.cgroup_file("hugetlb", cgroups::is_pure_v2() ? "hugetlb.2MB.max"
                                                                   : "hugetlb.2MB.limit_in_bytes"));
}

TEST_F(ControlGroups, TakeRawVersion2Values) {
  SPEC("config-linux.md#unified", "unified: the keys are file names of the unified hierarchy.");
  NEEDS_CGROUP_V2();
  bundle.set("linux.resources.unified", R"({"cgroup.max.descendants": "7"})");
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  EXPECT_EQ("7", container.cgroup_file("", "cgroup.max.descendants"));
}

TEST_F(ControlGroups, AnImpossibleValueIsAnErrorAndLeavesNothing) {
  NEEDS_CONTROLLER("cpuset");
  bundle.set("linux.resources.cpu", R"({"cpus": "4000"})");
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create(), 1, "cpus");
  EXPECT_TRUE(cgroups::leftovers().empty());
  EXPECT_TRUE(names_in(runtime.root()).empty());
}

// Nobody has seen yet who is in the cgroup.
TEST_F(ControlGroups, OfOthersSurviveACreateThatWasKilledAndItsDelete) {
  if (cgroups::by_systemd()) GTEST_SKIP() << "a unit of systemd is one container's";
  put_together();
  Container first(runtime, bundle);
  first.launch();
  Container second(runtime, bundle);
  bundle.save(second.id());
  Command killed = runtime.command({"create", "--bundle", bundle.path(), second.id()});
  killed.argv.insert(killed.argv.begin(), {"strace", "-o", "/dev/null", "-e", "trace=mkdirat", "-e",
                                           "inject=mkdirat:signal=KILL:when=2"});
  EXPECT_EQ(128 + SIGKILL, run_command(std::move(killed)).code);
  EXPECT_EQ("creating", second.status());
  EXPECT_OK(second.remove({"--force"}));
  EXPECT_EQ("running", first.status());
}

TEST_F(ControlGroups, WithoutALimitOfProcessesKeepNoneByAnUpdateOfOldVersions) {
  NEEDS_CONTROLLER("pids");
  bundle.set("ociVersion", "\"1.0.2\"").set("linux.resources", R"({"pids": {"limit": 0}})");
  Container container(runtime, bundle);
  container.launch();
  // systemd gives each unit a limit of its own where none is asked for (DefaultTasksMax=).
  const std::string none = container.cgroup_file("pids", "pids.max");
  if (cgroups::by_systemd()) {
    EXPECT_NE("0", none);
  } else {
    EXPECT_EQ("max", none);
  }
  Command update = {};
  update.input = R"({"memory": {}, "pids": {"limit": 0}})";
  EXPECT_OK(runtime.run({"update", "--resources", "-", container.id()}, update));
  EXPECT_EQ(none, container.cgroup_file("pids", "pids.max"));
  EXPECT_OK(runtime.run({"update", "--pids-limit", "0", container.id()}));
  EXPECT_EQ("0", container.cgroup_file("pids", "pids.max")) << "that was said, not copied";
}

class Freezing : public ContainerTest {
 protected:
  // The container counts on stdout for as long as it is allowed to.
  Freezing() { bundle.shell("while :; do echo tick; usleep 2000; done"); }
};

TEST_F(Freezing, PauseStopsEveryProcessAndResumeLetsThemGoOn) {
  Container container(runtime, bundle);
  container.launch();
  ASSERT_TRUE(eventually([&] { return !container.output().empty(); }));
  ASSERT_OK(runtime.run({"pause", container.id()}));
  EXPECT_EQ("paused", container.status());
  const size_t before = container.output().size();
  sleep_ms(50);
  EXPECT_EQ(before, container.output().size());
  ASSERT_OK(runtime.run({"resume", container.id()}));
  EXPECT_EQ("running", container.status());
  EXPECT_TRUE(eventually([&] { return container.output().size() > before; }));
}

TEST_F(Freezing, KillWorksWhilePaused) {
  Container container(runtime, bundle);
  container.launch();
  const pid_t pid = container.pid();
  ASSERT_OK(runtime.run({"pause", container.id()}));
  EXPECT_OK(container.kill("KILL"));
  EXPECT_TRUE(wait_for_end(pid)) << "SIGKILL must reach a frozen container";
  EXPECT_TRUE(eventually([&] { return container.status() == "stopped"; }));
}

TEST_F(Freezing, DeleteForceWorksWhilePaused) {
  Container container(runtime, bundle);
  container.launch();
  const pid_t pid = container.pid();
  ASSERT_OK(runtime.run({"pause", container.id()}));
  EXPECT_OK(container.remove({"--force"}));
  EXPECT_TRUE(wait_for_end(pid));
  EXPECT_TRUE(cgroups::leftovers().empty());
}

// Version 1 lets not even SIGKILL end a frozen process, and anyone may have moved it.
TEST_F(Freezing, DeleteForceWorksWhenInitIsInAFrozenGroupOfSomebodyElses) {
  if (!cgroups::has_controller("freezer")) GTEST_SKIP() << "no freezer of version 1 here";
  Container container(runtime, bundle);
  container.launch();
  const pid_t pid = container.pid();
  const std::string other = cgroups::directory("freezer", cgroups::test_parent() + "/other");
  ASSERT_EQ(0, mkdir(other.c_str(), 0755));
  write_file(other + "/cgroup.procs", std::to_string(pid));
  write_file(other + "/freezer.state", "FROZEN");
  EXPECT_OK(container.remove({"--force"}));
  EXPECT_TRUE(wait_for_end(pid));
  EXPECT_EQ("FROZEN\n", read_file(other + "/freezer.state")) << "it is not ours to thaw";
  rmdir(other.c_str());
  EXPECT_TRUE(cgroups::leftovers().empty());
}

// The kernel lets init of a pid namespace end after all others in it.
TEST_F(Freezing, DeleteForceWorksWhenAChildIsInAFrozenGroupOfSomebodyElses) {
  if (!cgroups::has_controller("freezer")) GTEST_SKIP() << "no freezer of version 1 here";
  for (const bool own_pid_namespace : {true, false}) {
    if (!own_pid_namespace) bundle.without_namespace("pid");
    bundle.shell("sleep 100 & echo ready; wait");
    Container container(runtime, bundle);
    container.launch();
    ASSERT_TRUE(eventually([&] { return container.output() == "ready\n"; }));
    const std::string other = cgroups::directory("freezer", cgroups::test_parent() + "/other");
    ASSERT_EQ(0, mkdir(other.c_str(), 0755));
    for (const pid_t pid : cgroups::pids_in(container.cgroup("freezer"))) {
      if (pid != container.pid()) write_file(other + "/cgroup.procs", std::to_string(pid));
    }
    ASSERT_EQ(1u, cgroups::pids_in(other).size());
    write_file(other + "/freezer.state", "FROZEN");
    EXPECT_OK(container.remove({"--force"}));
    EXPECT_TRUE(cgroups::pids_in(other).empty());
    rmdir(other.c_str());
    EXPECT_TRUE(cgroups::leftovers().empty());
  }
}

TEST_F(Freezing, ExecIntoAPausedContainerIsRefused) {
  Container container(runtime, bundle);
  container.launch();
  ASSERT_OK(runtime.run({"pause", container.id()}));
  EXPECT_FAILS(container.exec({"true"}), 255, "cannot exec in a paused container");
  ASSERT_OK(runtime.run({"resume", container.id()}));
  EXPECT_OK(container.exec({"true"}));
}

TEST_F(Freezing, PauseOfAStoppedContainerFails) {
  bundle.shell("exit 0");
  Container container(runtime, bundle);
  container.launch();
  ASSERT_TRUE(eventually([&] { return container.status() == "stopped"; }));
  EXPECT_EQ(1, runtime.run({"pause", container.id()}).code);
  EXPECT_EQ(1, runtime.run({"resume", container.id()}).code);
}

TEST_F(Freezing, ResumeOfARunningContainerFails) {
  Container container(runtime, bundle);
  container.launch();
  EXPECT_FAILS(runtime.run({"resume", container.id()}), 1, "container not paused");
  EXPECT_EQ("running", container.status());
}

TEST_F(Freezing, OfAnUnknownContainerFails) {
  EXPECT_FAILS(runtime.run({"pause", "unknown"}), 1, "does not exist");
  EXPECT_FAILS(runtime.run({"resume", "unknown"}), 1, "does not exist");
}

class KillAll : public ContainerTest {};

TEST_F(KillAll, ReachesEveryProcessOfTheContainer) {
  bundle.without_namespace("pid").shell("sleep 100 & sleep 100 & echo ready; wait");
  Container container(runtime, bundle);
  container.launch();
  ASSERT_TRUE(eventually([&] { return container.output() == "ready\n"; }));
  const std::string any = cgroups::is_pure_v2() ? "" : "devices";
  ASSERT_TRUE(eventually([&] { return cgroups::pids_in(container.cgroup(any)).size() == 3; }));
  EXPECT_OK(container.kill("KILL", {"--all"}));
  EXPECT_TRUE(eventually([&] {
    reap_orphans();
    return cgroups::pids_in(container.cgroup(any)).empty();
  }));
}

TEST_F(KillAll, IsNotNeededForDeleteForceWithoutAPidNamespace) {
  bundle.without_namespace("pid").shell("sleep 100 & sleep 100 & echo ready; wait");
  Container container(runtime, bundle);
  container.launch();
  ASSERT_TRUE(eventually([&] { return container.output() == "ready\n"; }));
  EXPECT_OK(container.remove({"--force"}));
  EXPECT_TRUE(cgroups::leftovers().empty());
  EXPECT_TRUE(eventually([] { return living_orphans().empty(); }));
}

TEST_F(KillAll, ProcessesThatOutliveInitAreEndedByDelete) {
  bundle.without_namespace("pid").shell("sleep 100 & sleep 100 & exit 0");
  Container container(runtime, bundle);
  container.launch();
  ASSERT_TRUE(eventually([&] { return container.status() == "stopped"; }));
  EXPECT_OK(container.remove({"--force"}));
  EXPECT_TRUE(cgroups::leftovers().empty());
  EXPECT_TRUE(eventually([] { return living_orphans().empty(); }));
}

class Update : public ContainerTest {
 protected:
  Update() { bundle.shell("exec sleep 100"); }
  const char* memory_file() {
    return cgroups::is_pure_v2() ? "memory.max" : "memory.limit_in_bytes";
  }
};

TEST_F(Update, ChangesLimitsByFlags) {
  NEEDS_CONTROLLER("memory");
  Container container(runtime, bundle);
  container.launch();
  ASSERT_OK(runtime.run({"update", "--memory", "67108864", container.id()}));
  EXPECT_EQ("67108864", container.cgroup_file("memory", memory_file()));
  NEEDS_CONTROLLER("pids");
  ASSERT_OK(runtime.run({"update", "--pids-limit", "33", container.id()}));
  EXPECT_EQ("33", container.cgroup_file("pids", "pids.max"));
  EXPECT_EQ("67108864", container.cgroup_file("memory", memory_file())) << "kept";
}

TEST_F(Update, TakesADocumentFromStdin) {
  NEEDS_CONTROLLER("pids");
  Container container(runtime, bundle);
  container.launch();
  ASSERT_OK(runtime.run({"update", "--resources=-", container.id()},
                        {.input = R"({"pids": {"limit": 44}})"}));
  EXPECT_EQ("44", container.cgroup_file("pids", "pids.max"));
}

TEST_F(Update, TakesADocumentFromAFile) {
  NEEDS_CONTROLLER("pids");
  write_file(scratch() + "/resources.json", R"({"pids": {"limit": 55}})");
  Container container(runtime, bundle);
  container.launch();
  ASSERT_OK(runtime.run({"update", "--resources", scratch() + "/resources.json", container.id()}));
  EXPECT_EQ("55", container.cgroup_file("pids", "pids.max"));
}

TEST_F(Update, ChangesTheShares) {
  NEEDS_CONTROLLER("cpu");
  Container container(runtime, bundle);
  container.launch();
  ASSERT_OK(runtime.run({"update", "--cpu-share", "2048", container.id()}));
  if (cgroups::is_pure_v2())
    EXPECT_NE("100", container.cgroup_file("cpu", "cpu.weight"));
  else
    EXPECT_EQ("2048", container.cgroup_file("cpu", "cpu.shares"));
}

TEST_F(Update, WorksOnVersion2WithoutControllers) {
  NEEDS_CGROUP_V2();
  Container container(runtime, bundle);
  container.launch();
  ASSERT_OK(runtime.run({"update", "--resources=-", container.id()},
                        {.input = R"({"unified": {"cgroup.max.depth": "3"}})"}));
  EXPECT_EQ("3", container.cgroup_file("", "cgroup.max.depth"));
}

TEST_F(Update, WithoutAnyLimitChangesNothing) {
  Container container(runtime, bundle);
  container.launch();
  EXPECT_OK(runtime.run({"update", container.id()}));
  EXPECT_FAILS(runtime.run({"update", "unknown"}), 1, "does not exist");
}

TEST_F(Update, OfAnUnknownContainerFails) {
  EXPECT_FAILS(runtime.run({"update", "--pids-limit", "5", "unknown"}), 1, "does not exist");
}

TEST_F(Update, WithABrokenDocumentFailsAndChangesNothing) {
  NEEDS_CONTROLLER("pids");
  bundle.set("linux.resources.pids.limit", "66");
  Container container(runtime, bundle);
  container.launch();
  EXPECT_EQ(1, runtime
                   .run({"update", "--resources=-", container.id()},
                        {.input = R"({"pids": {"limit": "many"}})"})
                   .code);
  EXPECT_EQ("66", container.cgroup_file("pids", "pids.max"));
}

}  // namespace
}  // namespace harness
