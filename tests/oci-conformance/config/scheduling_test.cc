// config.md, "Linux Process" (scheduler, ioPriority, execCPUAffinity) and config-linux.md, "Memory
// policy": what each process of a container gets, also those of `exec`, and what a fork leaves.
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include "tests/support/fixture.h"

namespace harness {
namespace {

// Prints policy, real-time priority and nice value of process $1, without any process in between.
constexpr const char* kShow =
    "show() { read line </proc/$1/stat; set -- ${line##*) }; echo \"${39} ${38} ${17}\"; }; ";

class SchedulingOfProcesses : public ContainerTest {
 protected:
  // The first `count` CPUs that we may use.
  static std::vector<std::string> cpus(size_t count) {
    cpu_set_t set;
    sched_getaffinity(0, sizeof set, &set);
    std::vector<std::string> found;
    for (int i = 0; i < CPU_SETSIZE && found.size() < count; ++i)
      if (CPU_ISSET(i, &set)) found.push_back(std::to_string(i));
    return found;
  }
  // What these policies have no use for is left as the caller has it.
  static std::string own_nice() { return std::to_string(getpriority(PRIO_PROCESS, 0)) + "\n"; }
  // Whether this kernel is `version` or newer.
  static bool kernel_is(const char* version) {
    utsname name{};
    uname(&name);
    return strverscmp(name.release, version) >= 0;
  }
  std::string write(const std::string& name, const std::string& text) {
    write_file(scratch() + "/" + name, text);
    return scratch() + "/" + name;
  }
  // A process document that prints what kShow shows of itself; `more` begins with a comma.
  std::string process(const std::string& script, const std::string& more) {
    return write("process.json",
                 R"({"cwd": "/", "args": ["sh", "-c", )" + quote(script) + "]" +
                     R"(, "env": ["PATH=/bin"], "rlimits": [{"type": )" +
                     R"("RLIMIT_CORE", "soft": 0, "hard": 0}], "capabilities": {})" + more + "}");
  }
  static std::string quote(const std::string& text) {
    std::string quoted = "\"";
    for (char c : text) {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
    return quoted + "\"";
  }
};

TEST_F(SchedulingOfProcesses, ARealTimePolicyHasItsPriority) {
  SPEC("config.md#linux-process", "priority represents the static priority of the process.");
  NEEDS_VERSION("1.2");
  bundle.set("process.scheduler", R"({"policy": "SCHED_FIFO", "priority": 11})");
  // A new group of cgroup v1 has no real-time budget: stay in ours, which may have one.
  if (exists("/sys/fs/cgroup/cpu/cpu.rt_runtime_us"))
    runtime.global = {"--cgroup-manager", "disabled"};
  NEEDS_SUPPORT();
  EXPECT_EQ("1 11 " + own_nice(), run_shell(std::string(kShow) + "show $$"));
  bundle.set("process.scheduler", R"({"policy": "SCHED_RR", "priority": 12})");
  EXPECT_EQ("2 12 " + own_nice(), run_shell(std::string(kShow) + "show $$"));
  bundle.set("process.scheduler", R"({"policy": "SCHED_IDLE"})");
  EXPECT_EQ("5 0 " + own_nice(), run_shell(std::string(kShow) + "show $$"));
}

TEST_F(SchedulingOfProcesses, ResetOnForkLeavesTheProgramItsPolicyAndItsChildrenNone) {
  NEEDS_VERSION("1.2");
  bundle.set("process.scheduler",
             R"({"policy": "SCHED_BATCH", "nice": -4, "flags": ["SCHED_FLAG_RESET_ON_FORK"]})");
  NEEDS_SUPPORT();
  const std::string both = std::string(kShow) + "show $$; sh -c '" + kShow + "show $$'; true";
  EXPECT_EQ("3 0 -4\n3 0 0\n", run_shell(both));
  // A process of exec is a child of the one that entered the container.
  bundle.shell("exec sleep 1000");
  Container container(runtime, bundle);
  container.launch();
  const Outcome outcome = container.exec_shell(both);
  EXPECT_OK(outcome);
  EXPECT_EQ("3 0 -4\n3 0 0\n", outcome.out);
}

TEST_F(SchedulingOfProcesses, ADeadlineThatNoForkInheritsReachesTheProgram) {
  NEEDS_VERSION("1.2");
  bundle.set("process.scheduler",
             R"({"policy": "SCHED_DEADLINE", "runtime": 1000000, "deadline": 20000000,
                 "period": 20000000, "flags": ["SCHED_FLAG_RESET_ON_FORK"]})");
  NEEDS_SUPPORT();
  EXPECT_EQ("6 0 " + own_nice(), run_shell(std::string(kShow) + "show $$"));
  bundle.remove("process.scheduler").shell("exec sleep 1000");
  Container container(runtime, bundle);
  container.launch();
  const Outcome outcome = container.exec(
      {}, {"--process", process(std::string(kShow) + "show $$",
                                R"(, "scheduler": {"policy": "SCHED_DEADLINE", "runtime": 1000000,
                       "deadline": 20000000, "period": 20000000})")});
  EXPECT_OK(outcome);
  EXPECT_EQ("6 0 " + own_nice(), outcome.out);
}

TEST_F(SchedulingOfProcesses, ExecHasThoseOfTheContainerUnlessItsDocumentSaysOtherwise) {
  NEEDS_VERSION("1.2");
  bundle.set("process.scheduler", R"({"policy": "SCHED_BATCH", "nice": 3})");
  bundle.set("process.ioPriority", R"({"class": "IOPRIO_CLASS_BE", "priority": 6})");
  bundle.set("linux.personality", R"({"domain": "LINUX32"})");
  bundle.shell("exec sleep 1000");
  NEEDS_SUPPORT();
  Container container(runtime, bundle);
  container.launch();
  const std::string all =
      std::string(kShow) + "show $$; busybox ionice -p $$; cat /proc/$$/personality";
  EXPECT_EQ("3 0 3\nbest-effort: prio 6\n00000008\n", container.exec_shell(all).out);
  EXPECT_EQ("3 0 3\nbest-effort: prio 6\n00000008\n",
            container.exec({}, {"--process", process(all, "")}).out);
  EXPECT_EQ("0 0 5\nidle\n00000008\n",
            container
                .exec({}, {"--process",
                           process(all, R"(, "scheduler": {"policy": "SCHED_OTHER", "nice": 5},
                                              "ioPriority": {"class": "IOPRIO_CLASS_IDLE"})")})
                .out);
}

TEST_F(SchedulingOfProcesses, ExecRunsOnTheCpusOfItsAffinity) {
  SPEC("config.md#linux-process", "execCPUAffinity specifies CPU affinity used to execute.");
  NEEDS_VERSION("1.2");
  const std::vector<std::string> two = cpus(2);
  if (two.size() < 2) GTEST_SKIP() << "needs two CPUs";
  bundle.set("process.execCPUAffinity",
             R"({"initial": ")" + two[0] + R"(", "final": ")" + two[1] + R"("})");
  NEEDS_SUPPORT();
  bundle.shell("grep Cpus_allowed_list /proc/self/status; exec sleep 1000");
  Container container(runtime, bundle);
  container.launch();
  const std::string look = "grep Cpus_allowed_list /proc/self/status";
  EXPECT_EQ("Cpus_allowed_list:\t" + two[1] + "\n", container.exec_shell(look).out);
  // The container's own process has none.
  eventually([&] { return !container.output().empty(); });
  EXPECT_NE("Cpus_allowed_list:\t" + two[1] + "\n", container.output());
  EXPECT_NE("Cpus_allowed_list:\t" + two[0] + "\n", container.output());
  // Before Linux 6.2 the cpuset of the cgroup that is entered takes its place.
  if (kernel_is("6.2")) {
    const std::string document =
        process(look, R"(, "execCPUAffinity": {"initial": ")" + two[0] + R"("})");
    EXPECT_EQ("Cpus_allowed_list:\t" + two[0] + "\n",
              container.exec({}, {"--process", document}).out);
  }
  EXPECT_FAILS(container.exec(
                   {}, {"--process", process(look, R"(, "execCPUAffinity": {"initial": "8000"})")}),
               255, "process.execCPUAffinity.initial: run on CPUs 8000: ");
  EXPECT_FAILS(
      container.exec({}, {"--process", process(look, R"(, "execCPUAffinity": {"final": "8000"})")}),
      255, "process.execCPUAffinity.final: run on CPUs 8000: ");
}

// As an engine's service may be (CPUAffinity=): since Linux 6.2 the kernel keeps that beside the
// cpuset of a cgroup that is entered.
struct BoundTo {
  explicit BoundTo(const cpu_set_t& set) {
    sched_getaffinity(0, sizeof before, &before);
    EXPECT_EQ(0, sched_setaffinity(0, sizeof set, &set));
  }
  ~BoundTo() { sched_setaffinity(0, sizeof before, &before); }
  static cpu_set_t one(const std::string& cpu) {
    cpu_set_t set{};
    CPU_SET(std::stoul(cpu), &set);
    return set;
  }
  static cpu_set_t all() {
    cpu_set_t set;
    memset(&set, 0xff, sizeof set);
    return set;
  }
  cpu_set_t before;
};

TEST_F(SchedulingOfProcesses, TheCpusThatTheCallerIsBoundToAreNotTheContainers) {
  const BoundTo unbound(BoundTo::all());
  const std::vector<std::string> two = cpus(2);
  if (two.size() < 2) GTEST_SKIP() << "needs two CPUs";
  const std::string look = "grep Cpus_allowed_list /proc/self/status";
  const std::string every = run_command({.argv = {"sh", "-c", look}}).out;
  const BoundTo bound(BoundTo::one(two[0]));
  EXPECT_EQ(every, run_shell(look));
  bundle.shell(look + "; exec sleep 1000");
  Container container(runtime, bundle);
  container.launch();
  ASSERT_TRUE(eventually([&] { return !container.output().empty(); }));
  EXPECT_EQ(every, container.output());
  EXPECT_EQ(every, container.exec_shell(look).out);
}

TEST_F(SchedulingOfProcesses, OfABoundCallersContainerAreThoseOfItsCpuset) {
  NEEDS_CONTROLLER("cpuset");
  const std::vector<std::string> two = cpus(2);
  if (two.size() < 2) GTEST_SKIP() << "needs two CPUs";
  const BoundTo bound(BoundTo::one(two[0]));
  for (const std::string& set : {two[1], two[0] + "-" + two[1]}) {
    bundle.set("linux.resources.cpu", R"({"cpus": ")" + set + R"("})");
    EXPECT_EQ("Cpus_allowed_list:\t" + set + "\n",
              run_shell("grep Cpus_allowed_list /proc/self/status"));
  }
}

TEST_F(SchedulingOfProcesses, MemoryComesFromTheNodesOfThePolicy) {
  NEEDS_VERSION("1.3");
  if (!exists("/proc/self/numa_maps")) GTEST_SKIP() << "needs a kernel with memory policies";
  bundle.set("linux.memoryPolicy", R"({"mode": "MPOL_BIND", "nodes": "0"})");
  NEEDS_SUPPORT();
  const std::string look = "read line </proc/self/numa_maps; echo $line | cut -d' ' -f2";
  EXPECT_EQ("bind:0\n", run_shell(look));
  bundle.shell("exec sleep 1000");
  Container container(runtime, bundle);
  container.launch();
  EXPECT_EQ("bind:0\n", container.exec_shell(look).out);
  EXPECT_EQ("bind:0\n", container.exec({}, {"--process", process(look, "")}).out);
}

TEST_F(SchedulingOfProcesses, AMemoryNodeThatIsNotThereIsAnErrorThatNamesTheProperty) {
  NEEDS_VERSION("1.3");
  bundle.set("linux.memoryPolicy", R"({"mode": "MPOL_BIND", "nodes": "900"})");
  NEEDS_SUPPORT();
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create(), 1, "linux.memoryPolicy: set_mempolicy");
}

}  // namespace
}  // namespace harness
