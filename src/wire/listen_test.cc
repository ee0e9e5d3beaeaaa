// The server with real listeners: who may connect, how many, and what happens when descriptors run
// out.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "src/base/text.h"
#include "src/sys/socket.h"
#include "src/sys/test_directory.h"
#include "src/wire/client.h"
#include "src/wire/server.h"

namespace ocirt::wire {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Listen : public sys::TestDirectory {
 public:
  Listen() { EXPECT_TRUE(server.listen(*sys::listen_stream_at(dir, "sock"))); }
  void handle(Call& call) {
    if (call.method == "Stop") loop->stop();
    call.reply.send(cat(call.peer.pid));
  }
  void big(Call& call) { call.reply.send(std::string(3 << 20, 'x')); }
  std::string socket() { return cat(path, "/sock"); }

  std::unique_ptr<sys::EventLoop> loop = *sys::EventLoop::open();
  Server server{*loop, Callback<Call&>::to<&Listen::handle>(*this)};
};

TEST_F(Listen, ClientsOfTheSameUserAreServed) {
  std::string answer;
  std::thread thread([&] {
    auto client = *Client::connect(socket());
    answer = client.call("s", "Echo", {}, seconds(5))->payload;
    (void)client.call("s", "Stop", {}, seconds(5));
  });
  ASSERT_TRUE(loop->run());
  thread.join();
  EXPECT_EQ(answer, cat(::getpid()));
}

TEST_F(Listen, OtherUsersAreNot) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to be another user";
  ASSERT_EQ(::chmod(path.c_str(), 0711), 0);
  ASSERT_EQ(::chmod(socket().c_str(), 0666), 0);
  // SO_PEERCRED says who called connect(2).
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setresuid(12345, 12345, 12345) != 0) ::_exit(1);
    auto client = Client::connect(socket());
    if (!client) ::_exit(2);
    ::_exit(client->call("s", "Echo", {}, seconds(5)) ? 3 : 0);
  }
  int status = -1;
  while (::waitpid(child, &status, WNOHANG) == 0) ASSERT_TRUE(loop->turn(milliseconds(5)));
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(server.connection_count(), 0u);
}

TEST_F(Listen, WhoComesWhenNoDescriptorIsLeftWaits) {
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(*sys::connect_stream(socket()));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const int lowest = ::dup(0);
  ::close(lowest);
  rlimit low = before;
  low.rlim_cur = static_cast<rlim_t>(lowest) + 1;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  ASSERT_TRUE(loop->turn(milliseconds(0)));
  EXPECT_EQ(server.connection_count(), 1u);
  // It does not turn without end over a queue that it cannot serve.
  const sys::Nanoseconds begin = sys::monotonic_now();
  ASSERT_TRUE(loop->turn(milliseconds(20)));
  EXPECT_GE(sys::monotonic_now() - begin, milliseconds(20));
  // One goes, and leaves both ends' descriptors to the next two.
  clients.erase(clients.begin());
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(loop->turn(milliseconds(0)));
  EXPECT_EQ(server.connection_count(), 2u);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  // And the last one by itself, a second later.
  while (server.connection_count() < 3) ASSERT_TRUE(loop->turn(seconds(2)));
}

TEST_F(Listen, NobodyIsAcceptedAfterTheListenerIsClosed) {
  auto client = *sys::connect_stream(socket());
  ASSERT_TRUE(loop->turn(milliseconds(0)));
  EXPECT_EQ(server.connection_count(), 1u);
  server.stop_listening();
  EXPECT_FALSE(sys::connect_stream(socket()));
  EXPECT_EQ(server.connection_count(), 1u);
}

TEST_F(Listen, FlushWaitsUntilTheClientHasRead) {
  auto [mine, its] = *sys::stream_pair();
  ASSERT_TRUE(server.serve(std::move(its)));
  EXPECT_TRUE(server.flush(seconds(0)));
  Server slow(*loop, Callback<Call&>::to<&Listen::big>(*this));
  auto [a, b] = *sys::stream_pair();
  ASSERT_TRUE(slow.serve(std::move(b)));
  ASSERT_TRUE(sys::send_some(a, *request_frame(1, {"s", "m", {}, {}}, {})));
  ASSERT_TRUE(loop->turn());
  EXPECT_FALSE(slow.flush(milliseconds(2)));
  std::thread reader([fd = Fd(a)] {
    char buffer[65536];
    for (size_t got = 0; got < size_t{3} << 20;) {
      (void)sys::wait_until_ready(fd, sys::kReadable, seconds(5));
      got += (*sys::read_some(fd, buffer)).value_or(0);
    }
  });
  EXPECT_TRUE(slow.flush(seconds(5)));
  reader.join();
}

}  // namespace
}  // namespace ocirt::wire
