// config.md, "Process" (terminal, consoleSize) and the console protocol of managers: a master of
// the container's pseudoterminal over --console-socket, or `run` and `exec` between terminals.
#include "tests/support/terminal.h"

#include <sys/inotify.h>
#include <unistd.h>

#include "tests/support/fixture.h"

namespace harness {
namespace {

class Consoles : public ContainerTest {
 protected:
  Consoles() { bundle.set("process.terminal", "true"); }
  std::string socket_path() { return scratch() + "/console.sock"; }
};

TEST_F(Consoles, TheMasterIsSentOverTheConsoleSocket) {
  SPEC("config.md#process", "terminal: a pseudoterminal pair is allocated for the process.");
  bundle.shell("tty; echo hello; read answer; echo got $answer");
  ConsoleSocket socket(socket_path());
  Container container(runtime, bundle);
  ASSERT_OK(container.create({"--console-socket", socket.path()}));
  Terminal terminal(socket.receive());
  ASSERT_OK(container.start());
  EXPECT_TRUE(terminal.read_until("/dev/pts/0\r\nhello\r\n")) << terminal.seen();
  terminal.type("word\n");
  EXPECT_TRUE(terminal.read_until("got word\r\n")) << terminal.seen();
}

TEST_F(Consoles, TheTerminalControlsTheProgram) {
  bundle.shell("trap 'echo interrupted; exit 3' INT; echo ready; while :; do usleep 5000; done");
  ConsoleSocket socket(socket_path());
  Container container(runtime, bundle);
  ASSERT_OK(container.create({"--console-socket", socket.path()}));
  Terminal terminal(socket.receive());
  const pid_t pid = container.pid();
  ASSERT_OK(container.start());
  ASSERT_TRUE(terminal.read_until("ready")) << terminal.seen();
  terminal.type("\x03");
  EXPECT_TRUE(terminal.read_until("interrupted")) << terminal.seen();
  EXPECT_TRUE(wait_for_end(pid));
  EXPECT_EQ(3, orphan_status(pid));
}

TEST_F(Consoles, AllThreeStreamsAndDevConsoleAreTheTerminal) {
  SPEC("config-linux.md#default-devices",
       "/dev/console is set up if terminal is enabled in the config by bind mounting the "
       "pseudoterminal pty to /dev/console.");
  bundle.shell(
      "for n in 0 1 2; do readlink /proc/self/fd/$n; done; stat -c %t:%T /dev/console /dev/pts/0; "
      "[ -t 0 ] && echo is a tty; echo to console > /dev/console");
  ConsoleSocket socket(socket_path());
  Container container(runtime, bundle);
  container.launch({"--console-socket", socket.path()});
  Terminal terminal(socket.receive());
  EXPECT_TRUE(terminal.read_until("to console")) << terminal.seen();
  EXPECT_SAYS(terminal.seen(),
              "/dev/pts/0\r\n/dev/pts/0\r\n/dev/pts/0\r\n88:0\r\n88:0\r\n"
              "is a tty\r\n");
}

TEST_F(Consoles, ConsoleSizeIsTheSizeOfTheTerminal) {
  SPEC("config.md#process", "consoleSize: height and width of the console.");
  bundle.set("process.consoleSize", R"({"height": 33, "width": 111})").shell("stty size");
  ConsoleSocket socket(socket_path());
  Container container(runtime, bundle);
  container.launch({"--console-socket", socket.path()});
  Terminal terminal(socket.receive());
  EXPECT_TRUE(terminal.read_until("33 111")) << terminal.seen();
}

TEST_F(Consoles, ConsoleSizeWithoutATerminalIsIgnored) {
  SPEC("config.md#process", "Runtimes MUST ignore consoleSize if terminal is false or unset.");
  bundle.set("process.terminal", "false")
      .set("process.consoleSize", R"({"height": 12, "width": 34})")
      .shell("test -t 1 || echo no terminal");
  Container container(runtime, bundle);
  const Outcome outcome = container.run();
  EXPECT_OK(outcome);
  EXPECT_EQ("no terminal\n", outcome.out);
}

TEST_F(Consoles, TheTerminalBelongsToTheUser) {
  bundle.set("process.user", R"({"uid": 1000, "gid": 1000})").shell("stat -c owner=%u /dev/pts/0");
  ConsoleSocket socket(socket_path());
  Container container(runtime, bundle);
  container.launch({"--console-socket", socket.path()});
  Terminal terminal(socket.receive());
  EXPECT_TRUE(terminal.read_until("owner=1000")) << terminal.seen();
}

// It might be a device, of which the opening alone has an effect.
TEST_F(Consoles, APtmxOfTheImageIsNotEvenOpened) {
  bundle.without_mount("/dev/pts").without_mount("/dev/shm").without_mount("/dev");
  bundle.file("/dev/pts/ptmx", "");
  const int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  ASSERT_GE(inotify_add_watch(watch, bundle.rootfs("/dev/pts/ptmx").c_str(), IN_OPEN), 0);
  ConsoleSocket socket(socket_path());
  {
    Container container(runtime, bundle);
    EXPECT_FAILS(container.create({"--console-socket", socket.path()}), 1,
                 "is not of a devpts file system");
  }
  char event[512];
  EXPECT_EQ(-1, read(watch, event, sizeof event)) << "it was opened";
  close(watch);
}

TEST_F(Consoles, DetachedWithATerminalNeedsAConsoleSocket) {
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create(), 1, "onsole");
  EXPECT_TRUE(names_in(runtime.root()).empty());
}

TEST_F(Consoles, AConsoleSocketWithoutATerminalIsRefused) {
  bundle.set("process.terminal", "false");
  ConsoleSocket socket(socket_path());
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create({"--console-socket", socket.path()}), 1, "onsole");
  EXPECT_TRUE(names_in(runtime.root()).empty());
}

TEST_F(Consoles, AConsoleSocketThatNobodyListensOnIsAnError) {
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create({"--console-socket", socket_path()}), 1, socket_path());
  EXPECT_TRUE(names_in(runtime.root()).empty());
  EXPECT_TRUE(cgroups::leftovers().empty());
}

class AttachedTerminal : public Consoles {};

TEST_F(AttachedTerminal, RunPassesInputAndOutputBetweenTerminals) {
  bundle.shell("tty; read answer; echo got $answer; exit 6");
  Container container(runtime, bundle);
  Terminal user;
  Process run = container.run_in_background({}, {.terminal = user.slave()});
  ASSERT_TRUE(user.read_until("/dev/pts/0")) << user.seen();
  user.type("word\n");
  EXPECT_TRUE(user.read_until("got word")) << user.seen();
  EXPECT_EQ(6, run.wait().code);
}

TEST_F(AttachedTerminal, OfAProgramThatNeverStopsSpeakingKeepsNobodyFromItsContainer) {
  bundle.shell("while :; do echo speaking; done");
  Container container(runtime, bundle);
  Terminal user;
  Process run = container.run_in_background({}, {.terminal = user.slave()});
  ASSERT_TRUE(user.read_until("speaking"));
  // It has to be listened to all the time, or it would have to stop.
  const auto listen_until_over = [&](Process& process) {
    return eventually([&] {
      user.discard();
      return process.is_over();
    });
  };
  Process update(runtime.command({"update", "--pids-limit", "100", container.id()}));
  EXPECT_TRUE(listen_until_over(update)) << "it waits for the container's end";
  EXPECT_OK(container.kill("KILL"));
  EXPECT_TRUE(listen_until_over(run));
}

TEST_F(AttachedTerminal, TheContainersTerminalHasTheSizeOfTheUsers) {
  bundle.shell("sleep 0.05; stty size");
  Container container(runtime, bundle);
  Terminal user;
  user.resize(41, 123);
  Process run = container.run_in_background({}, {.terminal = user.slave()});
  EXPECT_TRUE(user.read_until("41 123")) << user.seen();
  EXPECT_EQ(0, run.wait().code);
}

TEST_F(AttachedTerminal, AResizeReachesTheContainer) {
  bundle.shell("trap 'stty size' WINCH; echo ready; while :; do usleep 5000; done");
  Container container(runtime, bundle);
  Terminal user;
  user.resize(24, 80);
  Process run = container.run_in_background({}, {.terminal = user.slave()});
  ASSERT_TRUE(user.read_until("ready")) << user.seen();
  user.resize(50, 150);
  EXPECT_TRUE(user.read_until("50 150")) << user.seen();
  EXPECT_OK(container.kill("KILL"));
  EXPECT_EQ(137, run.wait().code);
}

TEST_F(AttachedTerminal, ControlCInterruptsTheProgramAndNotTheRuntime) {
  bundle.shell("trap 'echo interrupted; exit 4' INT; echo ready; while :; do usleep 5000; done");
  Container container(runtime, bundle);
  Terminal user;
  Process run = container.run_in_background({}, {.terminal = user.slave()});
  ASSERT_TRUE(user.read_until("ready")) << user.seen();
  user.type("\x03");
  EXPECT_TRUE(user.read_until("interrupted")) << user.seen();
  EXPECT_EQ(4, run.wait().code);
}

TEST_F(AttachedTerminal, TheUsersTerminalIsRestoredAfterwards) {
  bundle.shell("exit 0");
  Container container(runtime, bundle);
  Terminal user;
  auto settings = [&] {
    return run_command({.argv = {"sh", "-c", "stty -g <&3"}, .descriptors = {user.slave()}}).out;
  };
  const std::string before = settings();
  ASSERT_NE("", before);
  EXPECT_EQ(0, container.run_in_background({}, {.terminal = user.slave()}).wait().code);
  EXPECT_EQ(before, settings());
}

TEST_F(AttachedTerminal, RunTakesNoConsoleSocketWhenAttached) {
  ConsoleSocket socket(socket_path());
  Container container(runtime, bundle);
  Terminal user;
  Process run =
      container.run_in_background({"--console-socket", socket.path()}, {.terminal = user.slave()});
  EXPECT_EQ(1, run.wait().code);
}

TEST_F(AttachedTerminal, LotsOfOutputArrivesWhole) {
  bundle.shell("seq 1 20000; echo the end");
  Container container(runtime, bundle);
  Terminal user;
  Process run = container.run_in_background({}, {.terminal = user.slave()});
  EXPECT_TRUE(user.read_until("the end")) << user.seen().size();
  EXPECT_SAYS(user.seen(), "\r\n12345\r\n");
  EXPECT_SAYS(user.seen(), "\r\n20000\r\n");
  EXPECT_EQ(0, run.wait().code);
}

}  // namespace
}  // namespace harness
