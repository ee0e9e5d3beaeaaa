// config-linux.md, "Seccomp", SCMP_ACT_NOTIFY: an agent on listenerPath gets the listener with the
// container process state and decides about the calls.
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "tests/support/fixture.h"
#include "tests/support/json.h"

namespace harness {
namespace {

// The agent of the test: listens on a path, takes one connection, answers calls with an errno
// value.
class Agent {
 public:
  explicit Agent(const std::string& path)
      : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(0, ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address));
    EXPECT_EQ(0, ::listen(listener_, 4));
  }
  ~Agent() {
    ::close(listener_);
    if (notifications_ >= 0) ::close(notifications_);
  }

  // Waits for the runtime; returns the document that came with the descriptor.
  std::string take() {
    if (!readable(listener_)) return "nobody came";
    int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    char bytes[8192];
    iovec part{bytes, sizeof bytes};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    ssize_t size = ::recvmsg(connection, &message, MSG_CMSG_CLOEXEC);
    char more = 0;
    closed_ = readable(connection) && ::recv(connection, &more, 1, 0) == 0;
    ::close(connection);
    if (cmsghdr* entry = CMSG_FIRSTHDR(&message))
      std::memcpy(&notifications_, CMSG_DATA(entry), sizeof(int));
    return std::string(bytes, static_cast<size_t>(size > 0 ? size : 0));
  }

  // Answers the next call with -error; false when none came.
  bool answer(int error) {
    if (!readable(notifications_)) return false;
    seccomp_notif request{};
    if (::ioctl(notifications_, SECCOMP_IOCTL_NOTIF_RECV, &request) < 0) return false;
    seccomp_notif_resp response{};
    response.id = request.id;
    response.error = -error;
    return ::ioctl(notifications_, SECCOMP_IOCTL_NOTIF_SEND, &response) == 0;
  }

  bool has_listener() const { return notifications_ >= 0; }
  // Whether the runtime has closed the connection of take() after its one message.
  bool was_closed() const { return closed_; }
  bool has_another_visitor() const {
    pollfd entry{listener_, POLLIN, 0};
    return ::poll(&entry, 1, 0) != 0;
  }

 private:
  static bool readable(int fd) {
    pollfd entry{fd, POLLIN, 0};
    return ::poll(&entry, 1, 5000) == 1 && (entry.revents & POLLIN) != 0;
  }
  int listener_ = -1;
  int notifications_ = -1;
  bool closed_ = false;
};

class SeccompNotify : public ContainerTest {
 protected:
  void notify(const std::string& path, const std::string& names, bool no_new_privileges) {
    bundle.set("linux.seccomp",
               R"({"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": ")" + path +
                   R"(", "listenerMetadata": "for the agent", "syscalls": [{"names": [)" + names +
                   R"(], "action": "SCMP_ACT_NOTIFY"}]})");
    bundle.set("process.noNewPrivileges", no_new_privileges ? "true" : "false");
  }
  void expect_document(const std::string& text, const Container& container) {
    const Json document = Json::parse(text);
    EXPECT_EQ("seccompFd", document["fds"].strings().at(0));
    EXPECT_EQ("for the agent", document["metadata"].text());
    EXPECT_EQ(container.id(), document["state"]["id"].text());
    EXPECT_EQ(bundle.path(), document["state"]["bundle"].text());
  }
};

TEST_F(SeccompNotify, LetsTheAgentAnswerForTheProgram) {
  SPEC("config-linux.md#seccomp",
       "listenerPath: path of UNIX domain socket over which the runtime will send the container "
       "process state.");
  for (bool no_new_privileges : {true, false}) {
    const std::string path = scratch() + (no_new_privileges ? "/a" : "/b");
    Agent agent(path);
    notify(path, R"("mkdir", "mkdirat")", no_new_privileges);
    bundle.shell("mkdir /tmp/x 2>&1; echo over");
    Container container(runtime, bundle);
    Process run = container.run_in_background();
    expect_document(agent.take(), container);
    ASSERT_TRUE(agent.has_listener());
    EXPECT_TRUE(agent.answer(ENOSPC));
    const Outcome outcome = run.wait();
    ASSERT_OK(outcome);
    EXPECT_SAYS(outcome.out, "No space left on device");
    EXPECT_SAYS(outcome.out, "over");
  }
}

TEST_F(SeccompNotify, SendsOneStatePerConnectionAndClosesIt) {
  SPEC("config-linux.md#seccomp",
       "The runtime MUST send exactly one container process state per connection. The connection "
       "MUST NOT be reused and it MUST be closed after sending a seccomp state.");
  Agent agent(scratch() + "/one");
  notify(scratch() + "/one", R"("mkdir", "mkdirat")", true);
  bundle.shell("mkdir /tmp/x; exec sleep 100");
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  Process start(runtime.command({"start", container.id()}));
  expect_document(agent.take(), container);
  EXPECT_TRUE(agent.was_closed());
  EXPECT_OK(start.wait());
  EXPECT_FALSE(agent.has_another_visitor());
  EXPECT_TRUE(agent.answer(ENOSPC));
}

// Beyond the specification: crun's names for an agent that the profile does not name.
TEST_F(SeccompNotify, FindsTheAgentByAnnotationOrEnvironment) {
  for (bool annotated : {true, false}) {
    const std::string path = scratch() + (annotated ? "/c" : "/d");
    Agent agent(path);
    notify(path, R"("mkdir", "mkdirat")", true);
    bundle.remove("linux.seccomp.listenerPath").remove("linux.seccomp.listenerMetadata");
    Command caller;
    if (annotated) {
      bundle.set("annotations", R"({"run.oci.seccomp.receiver": ")" + path + R"("})");
    } else {
      caller.env = {{"RUN_OCI_SECCOMP_RECEIVER", path}};
    }
    bundle.shell("mkdir /tmp/x 2>&1; echo over");
    Container container(runtime, bundle);
    // What `create` was told is remembered until `start`.
    ASSERT_OK(container.create({}, caller));
    Process start(runtime.command({"start", container.id()}));
    EXPECT_SAYS(agent.take(), container.id());
    EXPECT_TRUE(agent.answer(ENOSPC));
    EXPECT_OK(start.wait());
    EXPECT_TRUE(eventually([&] { return container.output().ends_with("over\n"); }));
    EXPECT_SAYS(container.output(), "No space left on device");
    container.wait_for_exit();
    if (annotated) bundle.remove("annotations");
  }
}

TEST_F(SeccompNotify, WithoutAnAgentIsAnErrorAndLeavesNothing) {
  notify(scratch() + "/nobody", R"("mkdir", "mkdirat")", false);
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create(), 1, "linux.seccomp.listenerPath");
}

TEST_F(SeccompNotify, OfTheCallsThatHandTheListenerOverIsRefused) {
  notify(scratch() + "/nobody", R"("sendmsg")", true);
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create(), 1, "sendmsg");
}

}  // namespace
}  // namespace harness
