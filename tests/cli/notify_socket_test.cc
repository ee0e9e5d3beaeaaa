// NOTIFY_SOCKET (sd_notify(3)): a container under a service manager says itself that it is ready.
// The test is the manager; what the container says comes from busybox's logger, whose /dev/log is
// the socket, or from the test by way of /proc/PID/root.
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "tests/support/fixture.h"

namespace harness {
namespace {

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

class Manager {
 public:
  explicit Manager(std::string path)
      : path_(std::move(path)), socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    const sockaddr_un address = address_of(path_);
    EXPECT_EQ(0, ::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address));
  }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;
  ~Manager() { ::close(socket_); }

  const std::string& path() const { return path_; }
  Command command() const {
    Command command;
    command.env = {{"NOTIFY_SOCKET", path_}};
    return command;
  }

  // The next message, "" when none comes; descriptors that come with it are closed, as systemd does
  // with that of BARRIER=1.
  std::string take(int milliseconds = 5000) const {
    pollfd entry{socket_, POLLIN, 0};
    if (::poll(&entry, 1, milliseconds) != 1) return "";
    char bytes[8192];
    const ssize_t size = ::recv(socket_, bytes, sizeof bytes, 0);
    return size <= 0 ? "" : std::string(bytes, static_cast<size_t>(size));
  }
  // Takes messages until this one.
  bool gets(const std::string& wanted) const {
    for (std::string message = take(); !message.empty(); message = take()) {
      if (message == wanted) return true;
    }
    return false;
  }

 private:
  std::string path_;
  int socket_;
};

class NotifySocket : public ContainerTest {
 protected:
  NotifySocket() : manager_(scratch() + "/notify") {
    bundle.shell("echo $NOTIFY_SOCKET > /tmp/address; exec sleep 100");
  }

  Process start(const std::string& id) {
    return Process(runtime.command({"start", id}, manager_.command()));
  }
  // As the container, from its own mounts.
  static void say(pid_t pid, const std::string& address, const std::string& message) {
    const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const sockaddr_un to = address_of("/proc/" + std::to_string(pid) + "/root" + address);
    EXPECT_EQ(static_cast<ssize_t>(message.size()),
              ::sendto(socket, message.data(), message.size(), 0,
                       reinterpret_cast<const sockaddr*>(&to), sizeof to))
        << address << ": " << std::strerror(errno);
    ::close(socket);
  }
  // The address that the container's program was given, once it runs.
  std::string address_inside() {
    EXPECT_TRUE(eventually([&] { return !written().empty(); }));
    return written();
  }
  std::string written() {
    const std::string file = bundle.rootfs("/tmp/address");
    return exists(file) ? trim(read_file(file)) : "";
  }

  // A program that says itself that it is ready. Logger puts a prefix before the first line.
  static constexpr char kReady[] =
      "ln -s $NOTIFY_SOCKET /dev/log; logger \"x\nSTATUS=hello\nREADY=1\"; ";

  Manager manager_;
};

TEST_F(NotifySocket, StartReturnsWhenTheContainerIsReady) {
  Container container(runtime, bundle);
  ASSERT_OK(container.create({}, manager_.command()));
  Process starting = start(container.id());
  const std::string address = address_inside();
  sleep_ms(50);
  EXPECT_FALSE(starting.is_over());
  say(container.pid(), address, "READY=1");
  EXPECT_EQ("READY=1", manager_.take());
  EXPECT_EQ("MAINPID=" + std::to_string(container.pid()), manager_.take());
  EXPECT_EQ("BARRIER=1", manager_.take());
  const Outcome started = starting.wait();
  EXPECT_OK(started);
  EXPECT_EQ("", started.out + started.err);
  EXPECT_EQ("running", container.status());
}

TEST_F(NotifySocket, AProgramInsideSaysThatItIsReady) {
  bundle.shell(std::string(kReady) + "exec sleep 100");
  Container container(runtime, bundle);
  Process running = container.run_in_background({"--detach"}, manager_.command());
  EXPECT_EQ("STATUS=hello\nREADY=1", manager_.take());
  EXPECT_EQ("MAINPID=" + std::to_string(container.pid()), manager_.take());
  EXPECT_TRUE(manager_.gets("BARRIER=1"));
  EXPECT_OK(running.wait());
}

TEST_F(NotifySocket, AProgramThatIsReadyAndEndsAtOnceIsHeard) {
  bundle.shell(kReady);
  Container container(runtime, bundle);
  Process running = container.run_in_background({}, manager_.command());
  const pid_t runtime_pid = running.pid();
  EXPECT_EQ("STATUS=hello\nREADY=1", manager_.take());
  EXPECT_EQ("MAINPID=" + std::to_string(runtime_pid), manager_.take())
      << "an attached runtime is the service's main process";
  EXPECT_OK(running.wait());
}

TEST_F(NotifySocket, AnAttachedRunGoesOnPassingMessagesOn) {
  Container container(runtime, bundle);
  Process running = container.run_in_background({}, manager_.command());
  const std::string address = address_inside();
  const pid_t pid = container.pid();
  say(pid, address, "STATUS=warming up");
  EXPECT_EQ("STATUS=warming up", manager_.take());
  say(pid, address, "READY=1");
  EXPECT_EQ("READY=1", manager_.take());
  EXPECT_TRUE(manager_.gets("MAINPID=" + std::to_string(running.pid())));
  say(pid, address, "WATCHDOG=1");
  EXPECT_EQ("WATCHDOG=1", manager_.take());
  say(pid, address, "STOPPING=1");
  EXPECT_EQ("STOPPING=1", manager_.take());
  running.signal(SIGKILL);
  (void)running.wait();
}

TEST_F(NotifySocket, AContainerThatEndsWithoutBeingReadyEndsTheWaiting) {
  bundle.shell("exit 3");
  Container container(runtime, bundle);
  ASSERT_OK(container.create({}, manager_.command()));
  EXPECT_OK(start(container.id()).wait());
  EXPECT_EQ("", manager_.take(0));
  EXPECT_EQ("stopped", container.status());
}

TEST_F(NotifySocket, OtherCommandsWorkWhileStartWaits) {
  Container container(runtime, bundle);
  ASSERT_OK(container.create({}, manager_.command()));
  Process starting = start(container.id());
  (void)address_inside();
  EXPECT_EQ("running", container.status());
  EXPECT_OK(container.exec({"true"}));
  EXPECT_OK(container.remove({"--force"}));
  EXPECT_OK(starting.wait());
}

TEST_F(NotifySocket, AContainerCannotSayWhatIsForTheManagerToKnow) {
  Container container(runtime, bundle);
  ASSERT_OK(container.create({}, manager_.command()));
  Process starting = start(container.id());
  const std::string address = address_inside();
  const pid_t pid = container.pid();
  for (const char* message : {"MAINPID=1", "FDSTORE=1\nFDNAME=x", "BARRIER=1", "NOTIFYACCESS=all",
                              "WATCHDOG=trigger", "STATUS=\x1b[2Jgone", "READY=0", "nonsense"}) {
    say(pid, address, message);
  }
  say(pid, address, "MAINPID=1\nREADY=1\nFDSTORE=1");
  EXPECT_EQ("READY=1", manager_.take());
  EXPECT_EQ("MAINPID=" + std::to_string(pid), manager_.take());
  EXPECT_EQ("BARRIER=1", manager_.take());
  EXPECT_OK(starting.wait());
  EXPECT_EQ("", manager_.take(0));
}

TEST_F(NotifySocket, AFloodOfMessagesIsCutDown) {
  Container container(runtime, bundle);
  ASSERT_OK(container.create({}, manager_.command()));
  Process starting = start(container.id());
  const std::string address = address_inside();
  const pid_t pid = container.pid();
  int taken = 0;
  for (int i = 0; i < 2000; ++i) {
    say(pid, address, "STATUS=" + std::to_string(i));
    while (!manager_.take(0).empty()) ++taken;
  }
  EXPECT_GT(taken, 0);
  EXPECT_LT(taken, 200);
  say(pid, address, "READY=1");
  EXPECT_TRUE(manager_.gets("READY=1")) << "that one counts for itself";
  EXPECT_TRUE(manager_.gets("BARRIER=1"));
  EXPECT_OK(starting.wait());
}

TEST_F(NotifySocket, IsTheContainersOwnAndCannotBeReplaced) {
  bundle.shell(
      "ls -la $(dirname $NOTIFY_SOCKET); rm $NOTIFY_SOCKET; grep notify /proc/self/mountinfo");
  Container container(runtime, bundle);
  const Outcome outcome = container.run({}, manager_.command());
  EXPECT_SAYS(outcome.err, "Read-only file system");
  EXPECT_SAYS(outcome.out, "srwxrwxrwx");
  EXPECT_SAYS(outcome.out, manager_.path() + " ro,nosuid,nodev,noexec");
}

TEST_F(NotifySocket, WorksForUsersOfAUserNamespaceToo) {
  NEEDS_NAMESPACE("user");
  bundle.with_namespace("user")
      .set("linux.uidMappings", R"([{"containerID": 0, "hostID": 70000, "size": 1000}])")
      .set("linux.gidMappings", R"([{"containerID": 0, "hostID": 70000, "size": 1000}])")
      .shell(kReady);
  ASSERT_EQ(0, ::chown(bundle.rootfs().c_str(), 70000, 70000));
  Container container(runtime, bundle);
  Process running = container.run_in_background({}, manager_.command());
  EXPECT_EQ("STATUS=hello\nREADY=1", manager_.take());
  EXPECT_OK(running.wait());
}

TEST_F(NotifySocket, AManagerThatIsNotThereIsReportedAndHarmsNothing) {
  bundle.shell(std::string(kReady) + "exit 4");
  Container container(runtime, bundle);
  Command command;
  command.env = {{"NOTIFY_SOCKET", scratch() + "/nobody"}};
  const Outcome outcome = container.run({}, command);
  EXPECT_EQ(4, outcome.code);
  EXPECT_SAYS(outcome.err, "does not know that the container is ready");
}

TEST_F(NotifySocket, AnAddressOfAnotherKindIsRefusedBeforeAnythingIsMade) {
  Container container(runtime, bundle);
  Command command;
  command.env = {{"NOTIFY_SOCKET", "vsock:2:1234"}};
  EXPECT_FAILS(container.create({}, command), 1, "not supported: NOTIFY_SOCKET");
  EXPECT_EQ("", container.status());
}

TEST_F(NotifySocket, WithoutOneAtCreateNothingIsMountedAndStartDoesNotWait) {
  bundle.shell("echo \"[$NOTIFY_SOCKET]\" > /tmp/address; exec sleep 100");
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  EXPECT_OK(start(container.id()).wait());
  EXPECT_EQ("[]", address_inside());
}

TEST_F(NotifySocket, LeavesTheDirectoryOfAServiceManagerInsideAlone) {
  bundle.shell("echo $NOTIFY_SOCKET");
  Container container(runtime, bundle);
  Command command;
  command.env = {{"NOTIFY_SOCKET", "/run/systemd/notify"}};
  EXPECT_EQ("/run/notify/notify.sock\n", container.run({}, command).out);
}

}  // namespace
}  // namespace harness
