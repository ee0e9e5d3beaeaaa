#include "src/sys/stream.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "src/base/text.h"
#include "src/sys/process.h"
#include "src/sys/socket.h"
#include "src/sys/test_directory.h"

namespace ocirt::sys {
namespace {

using std::chrono::milliseconds;
using Stream = TestDirectory;

TEST_F(Stream, ReadsWhatIsThereAndNeverWaits) {
  auto [a, b] = *stream_pair();
  char buffer[8];
  EXPECT_FALSE((*read_some(a, buffer)).has_value());
  EXPECT_EQ(*send_some(b, "hello"), 5u);
  EXPECT_EQ(**read_some(a, buffer), 5u);
  b.reset();
  EXPECT_EQ(**read_some(a, buffer), 0u);
}

TEST_F(Stream, AResetIsAnEnd) {
  auto [a, b] = *stream_pair();
  EXPECT_EQ(*send_some(a, "not read"), 8u);
  b.reset();
  char buffer[8];
  EXPECT_EQ(**read_some(a, buffer), 0u);
}

TEST_F(Stream, WritesWhatThereIsRoomFor) {
  auto [a, b] = *stream_pair();
  const std::string much(1 << 20, 'x');
  const size_t sent = *send_some(a, much);
  EXPECT_GT(sent, 0u);
  EXPECT_LT(sent, much.size());
  EXPECT_EQ(*send_some(a, much), 0u);
  b.reset();
  EXPECT_EQ(send_some(a, "x").error().code, EPIPE);
}

TEST_F(Stream, ListensForItsUserOnly) {
  const mode_t before = ::umask(0);
  UniqueFd listener = *listen_stream_at(dir, "sock");
  ::umask(before);
  struct stat status = *stat(dir, "sock");
  EXPECT_EQ(status.st_mode, static_cast<mode_t>(S_IFSOCK | 0600));
  EXPECT_EQ(listen_stream_at(dir, "sock").error().code, EADDRINUSE);
  EXPECT_FALSE((*accept(listener)).has_value());

  UniqueFd client = *connect_stream(cat(path, "/sock"));
  UniqueFd server = *std::move(*accept(listener));
  EXPECT_EQ(::fcntl(server.raw(), F_GETFD), FD_CLOEXEC);
  EXPECT_TRUE((::fcntl(server.raw(), F_GETFL) & O_NONBLOCK) != 0);
  const Peer peer = *peer_of(server);
  EXPECT_EQ(peer.pid, own_pid());
  EXPECT_EQ(peer.uid, effective_uid());
}

TEST_F(Stream, ALongNameIsRefused) {
  EXPECT_TRUE(listen_stream_at(dir, std::string(120, 'x')).error().text.ends_with("too long"));
}

TEST_F(Stream, WaitsForOneDescriptor) {
  auto [a, b] = *stream_pair();
  EXPECT_FALSE(*wait_until_ready(a, kReadable, milliseconds(1)));
  EXPECT_TRUE(*wait_until_ready(a, kWritable, milliseconds(-1)));
  ASSERT_TRUE(send_some(b, "x"));
  EXPECT_TRUE(*wait_until_ready(a, kReadable, milliseconds(-1)));
}

TEST_F(Stream, ShuttingDownIsAnEndForBoth) {
  auto [a, b] = *stream_pair();
  UniqueFd copy(::dup(a.raw()));  // a forked process would have one
  shut_down(a);
  char buffer[8];
  EXPECT_EQ(**read_some(b, buffer), 0u);
  EXPECT_EQ(**read_some(copy, buffer), 0u);
}

}  // namespace
}  // namespace ocirt::sys
