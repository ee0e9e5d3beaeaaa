// Containers that make it hard for the runtime: programs that stall, stop or die at the wrong
// moment, limits and filters without room for the runtime's own steps, failures half-way. Every
// command ends, says what happened, and leaves nothing behind.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "tests/support/fixture.h"
#include "tests/support/terminal.h"

namespace harness {
namespace {

class HostileContainer : public ContainerTest {
 protected:
  void hook(const std::string& kind, const std::string& script) {
    Json entry;
    entry.set("path", Json::string("/bin/sh"));
    entry.set("args", Json::array({"sh", "-c", script}));
    bundle.append("hooks." + kind, entry.print());
  }

  // That a command which failed has undone everything, before anybody deletes the container.
  void expect_nothing_left(const Container& container) {
    EXPECT_TRUE(eventually([] { return living_orphans().empty(); }));
    for (const auto& [pid, line] : living_orphans())
      ADD_FAILURE() << "left: process " << pid << " " << line;
    EXPECT_EQ(std::vector<std::string>(), cgroups::existing(cgroups::group_of(container.id())));
    EXPECT_EQ(std::vector<std::string>(), names_in(runtime.root()));
  }
};

// ---- terminals --------------------------------------------------------------------------------

class StalledTerminal : public HostileContainer {
 protected:
  StalledTerminal() { bundle.set("process.terminal", "true"); }
};

TEST_F(StalledTerminal, AProgramThatReadsNothingDoesNotKeepRunFromEnding) {
  bundle.shell("stty -icanon; echo ready; sleep 1; exit 7");
  Container container(runtime, bundle);
  Terminal user;
  Process run = container.run_in_background({}, {.terminal = user.slave(), .time_limit_ms = 30000});
  ASSERT_TRUE(user.read_until("ready")) << user.seen();
  // More than all the buffers between us and the program take.
  const int flags = fcntl(user.master(), F_GETFL);
  ASSERT_EQ(0, fcntl(user.master(), F_SETFL, flags | O_NONBLOCK));
  const std::string line = std::string(2000, 'x') + "\n";
  for (int i = 0; i < 200; ++i)
    if (write(user.master(), line.data(), line.size()) < 0) sleep_ms(2);
  EXPECT_EQ(7, run.wait().code);
}

TEST_F(StalledTerminal, ASignalReachesAProgramThatReadsNothing) {
  bundle.shell("trap 'exit 143' TERM; stty -icanon; echo ready; while :; do usleep 5000; done");
  Container container(runtime, bundle);
  Terminal user;
  Process run = container.run_in_background({}, {.terminal = user.slave(), .time_limit_ms = 30000});
  ASSERT_TRUE(user.read_until("ready")) << user.seen();
  const int flags = fcntl(user.master(), F_GETFL);
  ASSERT_EQ(0, fcntl(user.master(), F_SETFL, flags | O_NONBLOCK));
  const std::string line = std::string(2000, 'x') + "\n";
  for (int i = 0; i < 200; ++i)
    if (write(user.master(), line.data(), line.size()) < 0) sleep_ms(2);
  run.signal(SIGTERM);
  EXPECT_EQ(128 + SIGTERM, run.wait().code);
}

TEST_F(StalledTerminal, ASignalEndsRunThoughNobodyReadsItsOutput) {
  bundle.shell(
      "trap 'exit 5' TERM; touch /tmp/up; yes > /dev/pts/0 & while :; do usleep 5000; done");
  Container container(runtime, bundle);
  Terminal user;  // nobody reads it
  Process run = container.run_in_background({}, {.terminal = user.slave(), .time_limit_ms = 30000});
  ASSERT_TRUE(eventually([&] { return exists(bundle.rootfs("/tmp/up")); }));
  sleep_ms(500);
  run.signal(SIGTERM);
  EXPECT_EQ(5, run.wait().code);
}

TEST_F(StalledTerminal, AProgramThatReopensItsConsoleIsHeard) {
  bundle.shell(
      "echo before; exec 0<&- 1>&- 2>&-; sleep 0.5; echo heard > /dev/console; sleep 0.3;"
      "echo again > /dev/console; exit 9");
  Container container(runtime, bundle);
  Terminal user;
  Process run = container.run_in_background({}, {.terminal = user.slave(), .time_limit_ms = 30000});
  EXPECT_TRUE(user.read_until("before")) << user.seen();
  EXPECT_TRUE(user.read_until("heard")) << user.seen();
  EXPECT_TRUE(user.read_until("again")) << user.seen();
  EXPECT_EQ(9, run.wait().code);
}

TEST_F(StalledTerminal, AProgramOfExecThatReopensItsTerminalIsHeard) {
  bundle.set("process.terminal", "false").shell("exec sleep 100");
  Container container(runtime, bundle);
  container.launch();
  Terminal user;
  Process run(runtime.command({"exec", "--tty", container.id(), "sh", "-c",
                               "tty=$(tty); exec 0<&- 1>&- 2>&-; sleep 0.5; echo heard > $tty"},
                              {.terminal = user.slave(), .time_limit_ms = 30000}));
  EXPECT_TRUE(user.read_until("heard")) << user.seen();
  EXPECT_EQ(0, run.wait().code);
}

// ---- failures half-way ------------------------------------------------------------------------

TEST_F(HostileContainer, WithTheHostsPidsIsGoneWhenAPoststartHookFails) {
  bundle.without_namespace("pid").shell("sleep 777 & exec sleep 778");
  hook("poststart", "sleep 0.2; exit 3");
  {
    Container container(runtime, bundle);
    EXPECT_FAILS(container.run({}, {.time_limit_ms = 30000}), 1, "poststart");
    expect_nothing_left(container);
  }
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  EXPECT_NE(0, container.start().code);
  EXPECT_OK(container.remove({"--force"}));
  expect_nothing_left(container);
}

TEST_F(HostileContainer, WithADaemonOfAHookIsGoneWhenCreateFails) {
  bundle.args({"absent-program"});
  hook("createContainer", "setsid sleep 779 > /dev/null 2>&1 < /dev/null & exit 0");
  for (const bool own_pids : {true, false}) {
    SCOPED_TRACE(own_pids);
    if (!own_pids) bundle.without_namespace("pid");
    Container container(runtime, bundle);
    EXPECT_FAILS(container.create(), 1, "absent-program");
    expect_nothing_left(container);
  }
}

TEST_F(HostileContainer, WhoseInitIsKilledBeforeItsProgramBeginsHasNotStarted) {
  const std::string began = bundle.rootfs("/tmp/began"), after = scratch() + "/poststart";
  hook("startContainer", "touch /tmp/began; exec sleep 30");
  hook("poststart", "touch " + after);
  bundle.shell("touch /tmp/program");
  for (const bool run_whole : {false, true}) {
    SCOPED_TRACE(run_whole ? "run" : "start");
    unlink(began.c_str());
    Container container(runtime, bundle);
    bundle.save(container.id());
    if (!run_whole) {
      ASSERT_OK(container.create());
    }
    Args args = run_whole ? Args{"run", "--bundle", bundle.path()} : Args{"start"};
    args.push_back(container.id());
    Process process(runtime.command(args));
    ASSERT_TRUE(eventually([&] { return exists(began); }));
    ASSERT_EQ(0, kill(container.pid(), SIGKILL));
    EXPECT_FAILS(process.wait(), 1, "killed");
    EXPECT_FALSE(exists(after)) << "a poststart hook ran for a program that never began";
    EXPECT_FALSE(exists(bundle.rootfs("/tmp/program")));
  }
}

TEST_F(HostileContainer, ThatIsStoppedWhileCreatedIsStillAnsweredFor) {
  bundle.shell("echo started; exec sleep 100");
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  const pid_t init = container.pid();
  ASSERT_EQ(0, kill(init, SIGSTOP));
  for (int i = 0; i < 40; ++i) {
    const Outcome outcome = runtime.run({"state", container.id()}, {.time_limit_ms = 30000});
    ASSERT_OK(outcome);
    ASSERT_EQ("created", Json::parse(outcome.out)["status"].text());
  }
  ASSERT_EQ(0, kill(init, SIGCONT));
  ASSERT_OK(container.start());
  EXPECT_TRUE(eventually([&] { return container.output() == "started\n"; }));
}

TEST_F(HostileContainer, ThatIsStoppedWhileCreatedCanBeDeleted) {
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  ASSERT_EQ(0, kill(container.pid(), SIGSTOP));
  for (int i = 0; i < 20; ++i) ASSERT_EQ("created", container.status());
  const Args remove = {"delete", "--force", container.id()};
  EXPECT_OK(runtime.run(remove, {.time_limit_ms = 30000}));
  expect_nothing_left(container);
}

// ---- exec -------------------------------------------------------------------------------------

TEST_F(HostileContainer, WhoseInitMovedToAGroupOfItsOwnCanBeEntered) {
  NEEDS_CGROUP_V2();
  NEEDS_CONTROLLER("hugetlb");
  bundle.with_namespace("cgroup").mount("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid"});
  bundle.shell(
      "cd /sys/fs/cgroup && mkdir init && echo 1 > init/cgroup.procs &&"
      "echo +hugetlb > cgroup.subtree_control && cat cgroup.subtree_control && exec sleep 100");
  Container container(runtime, bundle);
  container.launch();
  ASSERT_TRUE(eventually([&] { return container.output() == "hugetlb\n"; })) << container.errors();
  const Outcome outcome = container.exec({"cat", "/proc/self/cgroup"});
  EXPECT_OK(outcome);
  EXPECT_SAYS(outcome.out, "0::/init\n");
}

TEST_F(HostileContainer, WithRoomForOneMoreProcessCanBeEntered) {
  NEEDS_CONTROLLER("pids");
  bundle.set("linux.resources.pids.limit", "2").shell("exec sleep 100");
  Container container(runtime, bundle);
  container.launch();
  EXPECT_EQ("2", container.cgroup_file("pids", "pids.max"));
  for (int i = 0; i < 10; ++i) EXPECT_OK(container.exec({"true"}));
  const std::string group = container.exec({"cat", "/proc/self/cgroup"}).out;
  EXPECT_SAYS(group, "/" + container.id());  // where the limit counts
}

TEST_F(HostileContainer, IsEnteredWithItsOwnCapabilitiesUnlessTheDocumentNamesOthers) {
  for (const char* set : {"bounding", "effective", "permitted"})
    bundle.set(std::string("process.capabilities.") + set, R"(["CAP_CHOWN", "CAP_KILL"])");
  bundle.shell("exec sleep 100");
  Container container(runtime, bundle);
  container.launch();
  const std::string file = scratch() + "/process.json";
  const std::string rest =
      R"("args": ["cat", "/proc/self/status"], "env": ["PATH=/bin"], "cwd": "/"})";
  write_file(file, "{" + rest);
  const std::string status = container.exec({}, {"--process", file}).out;
  for (const char* set : {"CapBnd:", "CapPrm:", "CapEff:"})
    EXPECT_EQ("0000000000000021", field(status, set)) << set;
  write_file(file, R"({"capabilities": {"bounding": ["CAP_CHOWN"]},)" + rest);
  EXPECT_EQ("0000000000000001", field(container.exec({}, {"--process", file}).out, "CapBnd:"));
}

// ---- descriptors --------------------------------------------------------------------------------

// Its neighbours of the pid namespace see it from then on, and one with CAP_SYS_PTRACE may use what
// it has open: no directory, and no namespace, of the host's, by which its mounts were made.
TEST_F(HostileContainer, OneThatWaitsInAJoinedPidNamespaceHasNothingOfTheHostOpen) {
  bundle.shell("exec sleep 100");
  Container neighbour(runtime, bundle);
  neighbour.launch();
  Bundle joining(scratch() + "/joining");
  joining.with_namespace("pid", "/proc/" + std::to_string(neighbour.pid()) + "/ns/pid");
  joining.shell("exec sleep 100");
  make_directories(scratch() + "/source");
  joining.mount("/mnt", "bind", scratch() + "/source", {"rbind"});
  Container container(runtime, joining);
  ASSERT_OK(container.create());
  const std::string process = "/proc/" + std::to_string(container.pid());
  size_t channels = 0;
  struct stat root;
  ASSERT_EQ(0, stat((process + "/root").c_str(), &root));
  for (const std::string& number : names_in(process + "/fd")) {
    if (number <= "2" && number.size() == 1) continue;  // the caller's
    const std::string open = link_target(process + "/fd/" + number);
    struct stat status;
    ASSERT_EQ(0, stat((process + "/fd/" + number).c_str(), &status));
    const bool is_root = status.st_dev == root.st_dev && status.st_ino == root.st_ino;
    channels += S_ISSOCK(status.st_mode);
    EXPECT_TRUE(S_ISSOCK(status.st_mode) || S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode) ||
                is_root)
        << number << " is " << open;
  }
  EXPECT_GT(channels, 0u) << "it waits for start at a socket";
  EXPECT_EQ("/", link_target(process + "/cwd"));
}

// ---- filters ----------------------------------------------------------------------------------

// What a profile denies is denied to the program; that init makes such calls is not its business.
// With the privilege to gain privileges the filter is in force early, while init still has much to
// do.
class Filter : public HostileContainer, public ::testing::WithParamInterface<const char*> {
 protected:
  void starts(bool no_new_privileges) {
    const std::string names = "\"" + join(words(GetParam()), "\", \"") + "\"";
    bundle.set("process.noNewPrivileges", no_new_privileges ? "true" : "false");
    bundle.set("linux.seccomp", R"({"defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": [)" + names +
                                    R"(], "action": "SCMP_ACT_ERRNO"}]})");
    bundle.shell("echo ran; grep -c Seccomp:.2 /proc/self/status; exec sleep 100");
    Container container(runtime, bundle);
    ASSERT_OK(container.create({}, {.time_limit_ms = 30000}));
    ASSERT_OK(runtime.run({"start", container.id()}, {.time_limit_ms = 30000}));
    EXPECT_TRUE(eventually([&] { return container.output() == "ran\n1\n"; }))
        << container.output() << container.errors();
    const std::string process = "/proc/" + std::to_string(container.pid());
    EXPECT_TRUE(eventually([&] { return read_file(process + "/cmdline").starts_with("sleep"); }));
    EXPECT_EQ((std::vector<std::string>{"0", "1", "2"}), names_in(process + "/fd"));
    const Outcome entered = container.exec({"ls", "/proc/self/fd"}, {}, {.time_limit_ms = 30000});
    EXPECT_OK(entered);
    EXPECT_EQ("0\n1\n2\n3\n", entered.out);
  }
};

TEST_P(Filter, WithoutCallsThatInitMakesStartsPrograms) { starts(true); }
TEST_P(Filter, WithoutCallsThatInitMakesStartsProgramsThatMayGainPrivileges) { starts(false); }

INSTANTIATE_TEST_SUITE_P(Of, Filter,
                         ::testing::Values("close_range", "faccessat2", "sendmsg recvmsg",
                                           "sendmsg", "recvmsg", "accept4"),
                         [](const auto& parameter) {
                           return join(words(parameter.param), "_and_");
                         });

}  // namespace
}  // namespace harness
