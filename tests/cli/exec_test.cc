// `exec`: another program in a running container. The specification leaves it out; engines do not.
#include <sys/inotify.h>
#include <unistd.h>

#include <csignal>
#include <memory>

#include "tests/support/fixture.h"
#include "tests/support/terminal.h"

namespace harness {
namespace {

class Exec : public RunningContainerTest {
 protected:
  std::string process_file(const std::string& text) {
    write_file(scratch() + "/process.json", text);
    return scratch() + "/process.json";
  }
};

TEST_F(Exec, RunsAProgramAndPassesItsStreams) {
  const Outcome outcome =
      running().exec({"sh", "-c", "cat; echo err >&2"}, {}, {.input = "in\n", .use_pipes = true});
  EXPECT_OK(outcome);
  EXPECT_EQ("in\n", outcome.out);
  EXPECT_EQ("err\n", outcome.err);
}

TEST_F(Exec, ExitsWithTheCodeOfTheProgram) {
  Container& container = running();
  EXPECT_EQ(0, container.exec_shell("exit 0").code);
  EXPECT_EQ(42, container.exec_shell("exit 42").code);
  EXPECT_EQ(128 + SIGKILL, container.exec_shell("kill -KILL $$").code);
  EXPECT_EQ(128 + SIGTERM, container.exec_shell("kill -TERM $$").code);
}

TEST_F(Exec, DoesNotParseTheProgramsFlags) {
  const Outcome outcome = running().exec({"echo", "-n", "--cwd", "x", "--help"});
  EXPECT_OK(outcome);
  EXPECT_EQ("--cwd x --help", outcome.out);
}

TEST_F(Exec, IsInTheNamespacesOfInit) {
  bundle.with_namespace("cgroup");
  Container& container = running();
  const std::string seen =
      container
          .exec_shell(
              "for n in pid net mnt ipc uts cgroup user; do readlink /proc/self/ns/$n; done")
          .out;
  std::string expected;
  for (const char* name : {"pid", "net", "mnt", "ipc", "uts", "cgroup", "user"})
    expected += link_target("/proc/" + std::to_string(container.pid()) + "/ns/" + name) + "\n";
  EXPECT_EQ(expected, seen);
}

TEST_F(Exec, IsInTheControlGroupsOfInit) {
  Container& container = running();
  const std::string of_init = container.exec_shell("cat /proc/1/cgroup").out;
  EXPECT_NE("", of_init);
  EXPECT_EQ(of_init, container.exec_shell("cat /proc/self/cgroup").out);
}

TEST_F(Exec, HasTheEnvironmentAndDirectoryOfTheConfiguration) {
  bundle.append("process.env", R"("FROM=config")").set("process.cwd", R"("/tmp")");
  EXPECT_EQ("config /tmp /root\n", running().exec_shell("echo $FROM $(pwd) $HOME").out);
}

TEST_F(Exec, TakesEnvironmentVariables) {
  bundle.append("process.env", R"("A=config")");
  Container& container = running();
  EXPECT_EQ("flag two\n",
            container.exec_shell("echo $A $B", {"--env", "A=flag", "--env", "B=two"}).out);
  EXPECT_EQ("flag two\n", container.exec_shell("echo $A $B", {"-e", "A=flag", "-e", "B=two"}).out);
}

TEST_F(Exec, TakesADirectory) {
  EXPECT_EQ("/etc\n", running().exec({"pwd"}, {"--cwd", "/etc"}).out);
}

TEST_F(Exec, TakesAUserAndGroup) {
  Container& container = running();
  const Outcome both = container.exec_shell("id -u; id -g; echo $HOME", {"--user", "1000:1001"});
  EXPECT_EQ("1000\n1001\n/home/tester\n", both.out) << both;
  EXPECT_EQ("1000\n", container.exec({"id", "-u"}, {"-u", "1000"}).out);
}

TEST_F(Exec, TakesAdditionalGroups) {
  Container& container = running();
  const Args command = {"cat", "/proc/self/status"};
  for (const char* flag : {"--additional-gids", "-g"})
    EXPECT_EQ("5 2000", field(container.exec(command, {flag, "5", flag, "2000"}).out, "Groups:"));
}

TEST_F(Exec, TakesCapabilities) {
  // NET_RAW is bit 13; the container's own set lacks it.
  Container& container = running();
  const std::string before = field(container.exec({"cat", "/proc/self/status"}).out, "CapBnd:");
  const std::string after =
      field(container.exec({"cat", "/proc/self/status"}, {"--cap", "CAP_NET_RAW"}).out, "CapBnd:");
  EXPECT_EQ(std::stoull(before, nullptr, 16) | 0x2000, std::stoull(after, nullptr, 16));
}

TEST_F(Exec, HasTheCapabilitiesOfTheConfiguration) {
  bundle.set("process.capabilities", R"({"bounding": ["CAP_CHOWN"], "permitted": ["CAP_CHOWN"],
    "effective": ["CAP_CHOWN"]})");
  const std::string status = running().exec({"cat", "/proc/self/status"}).out;
  EXPECT_EQ("0000000000000001", field(status, "CapBnd:"));
  EXPECT_EQ("0000000000000001", field(status, "CapEff:"));
}

TEST_F(Exec, TakesNoNewPrivileges) {
  bundle.set("process.noNewPrivileges", "false");
  Container& container = running();
  const Args command = {"cat", "/proc/self/status"};
  EXPECT_EQ("0", field(container.exec(command).out, "NoNewPrivs:"));
  EXPECT_EQ("1", field(container.exec(command, {"--no-new-privs"}).out, "NoNewPrivs:"));
}

TEST_F(Exec, TakesADocument) {
  const std::string file = process_file(R"({
    "terminal": false, "user": {"uid": 1000, "gid": 1001, "additionalGids": [2000]},
    "args": ["sh", "-c", "id -u; id -g; pwd; echo $A; ulimit -n; echo ${FROM:-none}"],
    "env": ["PATH=/bin", "A=document"], "cwd": "/tmp",
    "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 77, "hard": 88}]})");
  bundle.append("process.env", R"("FROM=config")");
  const Outcome outcome = running().exec({}, {"--process", file});
  EXPECT_OK(outcome);
  EXPECT_EQ("1000\n1001\n/tmp\ndocument\n77\nnone\n", outcome.out);
}

TEST_F(Exec, ADocumentWithoutArgsIsRefused) {
  const std::string file = process_file(R"({"user": {"uid": 0, "gid": 0}, "cwd": "/"})");
  EXPECT_EQ(255, running().exec({}, {"--process", file}).code);
}

TEST_F(Exec, ABrokenDocumentIsRefused) {
  EXPECT_EQ(255, running().exec({}, {"--process", process_file(R"({"args": )")}).code);
  EXPECT_EQ(255, running().exec({}, {"--process", scratch() + "/absent.json"}).code);
}

// 1 would read like the status of the command.
TEST_F(Exec, WithoutACommandIsRefused) {
  EXPECT_FAILS(running().exec({}), 255, "a command");
  EXPECT_FAILS(container_->exec({"true"}, {"--process", process_file("{}")}), 255, "a command");
}

TEST_F(Exec, DetachedReturnsAtOnceAndWritesThePidFile) {
  Container& container = running();
  const std::string file = scratch() + "/exec.pid";
  write_file(file, "");  // some callers make it beforehand
  const Outcome outcome = container.exec_shell("exec sleep 100", {"--detach", "--pid-file", file});
  ASSERT_OK(outcome);
  const std::string text = read_file(file);
  EXPECT_TRUE(text.find('\n') == std::string::npos && !text.empty()) << text;
  const std::string process = "/proc/" + text;
  // In the middle of an execve the command line reads as empty.
  EXPECT_TRUE(eventually([&] { return read_file(process + "/cmdline").starts_with("sleep"); }));
  EXPECT_EQ(link_target("/proc/" + std::to_string(container.pid()) + "/ns/pid"),
            link_target(process + "/ns/pid"));
  EXPECT_EQ(std::to_string(getpid()), field(read_file(process + "/status"), "PPid:"))
      << "it must be a child of the caller's subreaper";
}

TEST_F(Exec, TheSubreaperGetsTheStatusOfADetachedProgram) {
  const std::string file = scratch() + "/exec.pid";
  ASSERT_OK(running().exec_shell("exit 23", {"--detach", "--pid-file", file}));
  const pid_t pid = std::stoi(read_file(file));
  ASSERT_TRUE(wait_for_end(pid));
  EXPECT_EQ(23, orphan_status(pid));
}

TEST_F(Exec, GetsATerminalOverTheConsoleSocket) {
  Container& container = running();
  ConsoleSocket socket(scratch() + "/console.sock");
  const Outcome outcome =
      container.exec_shell("tty; read answer; echo got $answer",
                           {"--tty", "--detach", "--console-socket", socket.path()});
  ASSERT_OK(outcome);
  Terminal terminal(socket.receive());
  EXPECT_TRUE(terminal.read_until("/dev/pts/0")) << terminal.seen();
  terminal.type("word\n");
  EXPECT_TRUE(terminal.read_until("got word")) << terminal.seen();
}

TEST_F(Exec, BetweenTerminalsPassesInputAndOutput) {
  Container& container = running();
  Terminal user;
  user.resize(30, 99);
  Process process(runtime.command(
      {"exec", "--tty", container.id(), "sh", "-c", "sleep 0.05; stty size; read a; echo got $a"},
      {.terminal = user.slave()}));
  EXPECT_TRUE(user.read_until("30 99")) << user.seen();
  user.type("word\n");
  EXPECT_TRUE(user.read_until("got word")) << user.seen();
  EXPECT_EQ(0, process.wait().code);
}

TEST_F(Exec, PreservesDescriptors) {
  Container& container = running();
  write_file(scratch() + "/a", "preserved\n");
  FILE* file = std::fopen((scratch() + "/a").c_str(), "r");
  const Outcome outcome = container.exec({"sh", "-c", "cat <&3"}, {"--preserve-fds", "1"},
                                         {.descriptors = {fileno(file)}});
  std::fclose(file);
  EXPECT_EQ("preserved\n", outcome.out) << outcome;
}

TEST_F(Exec, OpensNothingElse) {
  EXPECT_EQ("0\n1\n2\n3\n", running().exec({"ls", "/proc/self/fd"}).out);
}

TEST_F(Exec, ForwardsSignals) {
  Container& container = running();
  Process process(runtime.command({"exec", container.id(), "sh", "-c",
                                   "trap 'echo term; exit 8' TERM; echo ready;"
                                   "while :; do usleep 5000; done"}));
  ASSERT_TRUE(eventually([&] { return process.output() == "ready\n"; })) << process.errors();
  process.signal(SIGTERM);
  const Outcome outcome = process.wait();
  EXPECT_EQ(8, outcome.code) << outcome;
  EXPECT_EQ("ready\nterm\n", outcome.out);
}

TEST_F(Exec, OfAMissingProgramFailsAsCallersExpect) {
  const Outcome outcome = running().exec({"absent-program"});
  EXPECT_FAILS(outcome, 255, "executable file not found in $PATH");
}

TEST_F(Exec, OfAFileThatIsNotExecutableFailsAsCallersExpect) {
  const Outcome outcome = running().exec({"/etc/passwd"});
  EXPECT_EQ(255, outcome.code);
  EXPECT_TRUE(outcome.err.find("ermission denied") != std::string::npos) << outcome;
}

TEST_F(Exec, IntoAnUnknownContainerFails) {
  EXPECT_FAILS(runtime.run({"exec", "unknown", "true"}), 255, "does not exist");
}

TEST_F(Exec, IntoAStoppedContainerFails) {
  bundle.shell("exit 0");
  Container container(runtime, bundle);
  container.launch();
  ASSERT_TRUE(eventually([&] { return container.status() == "stopped"; }));
  EXPECT_FAILS(container.exec({"true"}), 255, "cannot exec in a stopped container");
}

TEST_F(Exec, IntoACreatedContainerWorks) {
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  EXPECT_EQ("in\n", container.exec({"echo", "in"}).out);
  EXPECT_EQ("created", container.status());
}

TEST_F(Exec, TwentyAtOnceWork) {
  Container& container = running();
  std::vector<std::unique_ptr<Process>> all;
  for (int i = 0; i < 20; ++i)
    all.push_back(std::make_unique<Process>(
        runtime.command({"exec", container.id(), "sh", "-c", "echo " + std::to_string(i)})));
  for (int i = 0; i < 20; ++i) {
    const Outcome outcome = all[static_cast<size_t>(i)]->wait();
    EXPECT_OK(outcome);
    EXPECT_EQ(std::to_string(i) + "\n", outcome.out);
  }
}

TEST_F(Exec, ThatFailsLeavesTheContainerRunning) {
  Container& container = running();
  EXPECT_EQ(255, container.exec({"absent-program"}).code);
  EXPECT_EQ(255, container.exec({"true"}, {"--cwd", "/etc/passwd"}).code);
  EXPECT_FAILS(container.exec({"true"}, {"--cwd", "etc"}), 255, "--cwd: expected an absolute path");
  for (const char* entry : {"A", "=1", ""})
    EXPECT_FAILS(container.exec({"true"}, {"--env", entry}), 255, "--env: expected NAME=VALUE");
  EXPECT_EQ("running", container.status());
  EXPECT_OK(container.exec({"true"}));
}

TEST_F(Exec, ReadsTheConfigurationOnceAtMost) {
  NEEDS_NAMESPACE("user");
  bundle.with_namespace("user");
  for (const char* map : {"linux.uidMappings", "linux.gidMappings"})
    bundle.set(map, R"([{"containerID": 0, "hostID": 100000, "size": 65536}])");
  Container& container = running();
  const std::string file = runtime.root() + "/" + container.id() + "/state.json";
  if (!exists(file)) GTEST_SKIP() << "the runtime keeps what it knows in other files than ocirt";
  const int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  // Two of the same kind in a row would become one event; opening and closing alternate.
  ASSERT_LE(0, inotify_add_watch(watch, file.c_str(), IN_OPEN | IN_CLOSE));
  EXPECT_OK(container.exec({"true"}));
  alignas(inotify_event) char events[4096];
  const ssize_t got = read(watch, events, sizeof events);
  close(watch);
  EXPECT_EQ(static_cast<ssize_t>(2 * sizeof(inotify_event)), got);
}

TEST_F(Exec, CanTakeABrokenContainersLeave) {
  // Killing init while a program of exec runs ends both, and exec says so.
  Container& container = running();
  Process process(runtime.command({"exec", container.id(), "sh", "-c", "echo ready; sleep 100"}));
  ASSERT_TRUE(eventually([&] { return process.output() == "ready\n"; })) << process.errors();
  ASSERT_OK(container.kill("KILL"));
  EXPECT_EQ(128 + SIGKILL, process.wait().code);
}

}  // namespace
}  // namespace harness
