// --pidfd-socket and the annotation run.oci.pidfd_receiver: whoever starts a container gets a
// descriptor of its process (pidfd_open(2)).
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <memory>

#include "tests/support/fixture.h"

namespace harness {
namespace {

// A socket that takes one connection and what comes over it.
class Receiver {
 public:
  explicit Receiver(std::string path)
      : path_(std::move(path)), listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(0, ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address));
    EXPECT_EQ(0, ::listen(listener_, 4));
  }
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;
  ~Receiver() {
    drop();
    ::close(listener_);
  }

  // Gives the descriptor up that has come.
  void drop() {
    if (pidfd_ >= 0) ::close(pidfd_);
    pidfd_ = -1;
  }

  const std::string& path() const { return path_; }

  // The bytes that came with exactly one descriptor; what else happened, in words.
  std::string take() {
    pollfd entry{listener_, POLLIN, 0};
    if (::poll(&entry, 1, 5000) != 1) return "nobody came";
    const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    char bytes[4096];
    iovec part{bytes, sizeof bytes};
    // As go-runc has it: room for one descriptor, and exactly one must come.
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t size = ::recvmsg(connection, &message, MSG_CMSG_CLOEXEC);
    ::close(connection);
    if (size <= 0) return "no bytes";
    if (message.msg_controllen != sizeof control) return "not one descriptor";
    std::memcpy(&pidfd_, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
    return std::string(bytes, static_cast<size_t>(size));
  }

  // The pid of the process behind the descriptor, -1 when it has ended.
  pid_t pid() const {
    const std::string info = read_file("/proc/self/fdinfo/" + std::to_string(pidfd_));
    return std::stoi("0" + field(info, "Pid:"));
  }

 private:
  std::string path_;
  int listener_ = -1, pidfd_ = -1;
};

class PidfdSocket : public ContainerTest {
 protected:
  PidfdSocket() : receiver_(scratch() + "/pidfd.sock") { bundle.shell("exec sleep 100"); }

  void TearDown() override {
    receiver_.drop();
    ContainerTest::TearDown();
  }

  Receiver receiver_;
};

TEST_F(PidfdSocket, GetsTheProcessOfACreatedContainer) {
  Container container(runtime, bundle);
  ASSERT_OK(container.create({"--pidfd-socket", receiver_.path()}));
  EXPECT_EQ("standard", receiver_.take());
  EXPECT_EQ(container.pid(), receiver_.pid());
}

TEST_F(PidfdSocket, GetsTheProcessOfRun) {
  bundle.shell("true");
  Container container(runtime, bundle);
  Process process = container.run_in_background({"--pidfd-socket=" + receiver_.path()});
  EXPECT_EQ("standard", receiver_.take());
  EXPECT_OK(process.wait());
}

TEST_F(PidfdSocket, GetsTheProcessOfExec) {
  Container container(runtime, bundle);
  container.launch();
  const std::string pid_file = scratch() + "/exec.pid";
  ASSERT_OK(container.exec(
      {"sleep", "100"}, {"--detach", "--pid-file", pid_file, "--pidfd-socket", receiver_.path()}));
  EXPECT_EQ("setns", receiver_.take());
  EXPECT_EQ(std::stoi(read_file(pid_file)), receiver_.pid());
}

TEST_F(PidfdSocket, MayBeNamedByAnAnnotation) {
  bundle.set("annotations", R"({"run.oci.pidfd_receiver": ")" + receiver_.path() + R"("})");
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  EXPECT_EQ("standard", receiver_.take());
  EXPECT_EQ(container.pid(), receiver_.pid());
}

TEST_F(PidfdSocket, ThatNobodyListensOnIsAnErrorBeforeAnythingIsMade) {
  bundle.save("x");
  const std::string missing = scratch() + "/missing.sock";
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create({"--pidfd-socket", missing}), 1, "--pidfd-socket");
  EXPECT_EQ("", container.status());
  bundle.set("annotations", R"({"run.oci.pidfd_receiver": ")" + missing + R"("})");
  EXPECT_FAILS(container.create(), 1, "run.oci.pidfd_receiver");
  EXPECT_EQ("", container.status());
}

}  // namespace
}  // namespace harness
