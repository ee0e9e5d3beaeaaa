#include "src/sys/socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "src/base/text.h"
#include "src/sys/file.h"
#include "src/sys/stuck_server.h"
#include "src/sys/test_directory.h"

namespace ocirt::sys {
namespace {

using Socket = TestDirectory;

ino_t inode(Fd fd) { return stat_fd(fd, "fd")->st_ino; }

int open_descriptors() {
  int count = 0;
  for (int fd = 0; fd < 1024; ++fd) count += ::fcntl(fd, F_GETFD) >= 0;
  return count;
}

TEST_F(Socket, PairKeepsMessageBoundaries) {
  auto [a, b] = *socket_pair();
  EXPECT_EQ(::fcntl(a.raw(), F_GETFD), FD_CLOEXEC);
  ASSERT_TRUE(send_message(a, "first"));
  ASSERT_TRUE(send_message(a, std::string_view("se\0cond", 7)));
  EXPECT_EQ(receive_message(b)->bytes, "first");
  EXPECT_EQ(receive_message(b)->bytes, std::string_view("se\0cond", 7));
}

TEST_F(Socket, DatagramReachesASocketOfTheSystem) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = cat(path, "/log");
  name.copy(address.sun_path, sizeof address.sun_path - 1);
  UniqueFd log(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::bind(log.raw(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_TRUE(send_datagram(name, "<27>box: hello"));
  EXPECT_EQ(receive_message(log)->bytes, "<27>box: hello");
  EXPECT_EQ(send_datagram(cat(path, "/nobody"), "x").error().code, ENOENT);
}

TEST_F(Socket, DatagramToADaemonThatReadsNothingIsGivenUp) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = cat(path, "/log");
  name.copy(address.sun_path, sizeof address.sun_path - 1);
  UniqueFd log(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::bind(log.raw(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  Result<> sent;
  for (int i = 0; i < 100'000 && sent; ++i) sent = send_datagram(name, "<27>box: hello");
  EXPECT_EQ(sent.error().code, EAGAIN);
}

TEST_F(Socket, MessageCarriesADescriptor) {
  auto [a, b] = *socket_pair();
  ASSERT_TRUE(send_message(a, "here", dir));
  Message message = *receive_message(b);
  EXPECT_EQ(message.bytes, "here");
  ASSERT_EQ(message.fds.size(), 1u);
  EXPECT_EQ(inode(message.fds[0]), inode(dir));
  EXPECT_NE(message.fds[0].raw(), dir.raw());
  EXPECT_EQ(::fcntl(message.fds[0].raw(), F_GETFD), FD_CLOEXEC);
  ASSERT_TRUE(send_message(a, "nothing"));
  EXPECT_TRUE(receive_message(b)->fds.empty());
}

TEST_F(Socket, EndOfTheOtherSideIsAnEmptyMessage) {
  auto [a, b] = *socket_pair();
  ASSERT_TRUE(send_message(a, "last"));
  a.reset();
  EXPECT_EQ(receive_message(b)->bytes, "last");
  EXPECT_EQ(receive_message(b)->bytes, "");
}

TEST_F(Socket, EndWithUnreadMessagesIsAnEmptyMessageToo) {
  auto [a, b] = *socket_pair();
  ASSERT_TRUE(send_message(b, "never read"));
  a.reset();
  Result<Message> message = receive_message(b);
  ASSERT_TRUE(message) << message.error().text;
  EXPECT_EQ(message->bytes, "");
}

TEST_F(Socket, MessageToNobodyIsEpipeAndNoSignal) {
  auto [a, b] = *socket_pair();
  b.reset();
  Result<> sent = send_message(a, "x");  // SIGPIPE would end the test
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, EPIPE);
  EXPECT_EQ(sent.error().text, "send message: Broken pipe");
}

TEST_F(Socket, NeitherDoesAStreamThatNobodyReadsSendASignal) {
  int fds[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
  UniqueFd a(fds[0]);
  ::close(fds[1]);
  EXPECT_EQ(send_message(a, "x").error().code, EPIPE);
}

TEST_F(Socket, MessageThatIsTooLongIsRefusedAndNotCut) {
  auto [a, b] = *socket_pair();
  ASSERT_TRUE(send_message(a, "12345"));
  EXPECT_EQ(receive_message(b, 5)->bytes, "12345");
  ASSERT_TRUE(send_message(a, "123456"));
  Result<Message> message = receive_message(b, 5);
  ASSERT_FALSE(message);
  EXPECT_EQ(message.error().text, "receive message: cut short");
}

// Sends `count` descriptors at once, as only a hostile peer would.
void send_many(Fd socket, int fd, size_t count) {
  char byte = 'x';
  iovec part{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * 16)] = {};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = CMSG_SPACE(sizeof(int) * count);
  cmsghdr* entry = CMSG_FIRSTHDR(&header);
  entry->cmsg_level = SOL_SOCKET;
  entry->cmsg_type = SCM_RIGHTS;
  entry->cmsg_len = CMSG_LEN(sizeof(int) * count);
  for (size_t i = 0; i < count; ++i)
    std::memcpy(CMSG_DATA(entry) + i * sizeof(int), &fd, sizeof fd);
  ASSERT_EQ(::sendmsg(socket.raw(), &header, 0), 1);
}

TEST_F(Socket, MessageHasUpToFourDescriptors) {
  auto [a, b] = *socket_pair();
  send_many(a, dir.raw(), 4);
  Message message = *receive_message(b);
  ASSERT_EQ(message.fds.size(), 4u);
  for (const UniqueFd& fd : message.fds) EXPECT_EQ(inode(fd), inode(dir));
}

TEST_F(Socket, MoreDescriptorsAreRefusedAndNoneIsLeaked) {
  auto [a, b] = *socket_pair();
  const int before = open_descriptors();
  send_many(a, dir.raw(), 5);
  Result<Message> message = receive_message(b);
  ASSERT_FALSE(message);
  EXPECT_EQ(message.error().text, "receive message: cut short");
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(Socket, ListensInADirectoryHoweverLongItsPathIs) {
  std::string deep = path;
  while (deep.size() < 300) deep += "/" + std::string(60, 'd');
  ASSERT_TRUE(mkdir_parents(deep, 0700));
  UniqueFd far = *open(kCwd, deep, O_RDONLY | O_DIRECTORY);
  UniqueFd listener = *listen_at(far, "start");
  EXPECT_TRUE(exists(kCwd, deep + "/start"));
  UniqueFd caller = *connect_at(far, "start");
  UniqueFd called(::accept4(listener.raw(), nullptr, nullptr, SOCK_CLOEXEC));
  ASSERT_TRUE(called.valid());
  ASSERT_TRUE(send_message(caller, "hello"));
  EXPECT_EQ(receive_message(called)->bytes, "hello");
}

TEST_F(Socket, NameThatIsTakenCannotBeListenedAt) {
  UniqueFd first = *listen_at(dir, "start");
  Result<UniqueFd> second = listen_at(dir, "start");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, EADDRINUSE);
  EXPECT_EQ(second.error().text, "bind socket start: Address already in use");
}

TEST_F(Socket, NameThatIsGoneIsEnoentAndOneWithoutListenerEconnrefused) {
  EXPECT_EQ(connect_at(dir, "start").error().code, ENOENT);
  UniqueFd listener = *listen_at(dir, "start");
  listener.reset();
  Result<UniqueFd> caller = connect_at(dir, "start");
  ASSERT_FALSE(caller);
  EXPECT_EQ(caller.error().code, ECONNREFUSED);
  EXPECT_EQ(caller.error().text, "connect to start: Connection refused");
}

TEST_F(Socket, SomebodyListensUntilTheSocketIsClosed) {
  EXPECT_FALSE(*is_listening(dir, "start"));
  UniqueFd listener = *listen_at(dir, "start");
  EXPECT_TRUE(*is_listening(dir, "start"));
  listener.reset();
  EXPECT_FALSE(*is_listening(dir, "start"));
}

TEST_F(Socket, ListenerWithAFullBacklogIsOneToo) {
  UniqueFd listener = *listen_at(dir, "start");
  for (int i = 0; i < 40; ++i) {  // each question stays in it
    Result<bool> listening = is_listening(dir, "start");
    ASSERT_TRUE(listening) << listening.error().text;
    EXPECT_TRUE(*listening);
  }
}

TEST_F(Socket, NobodyListensAtAFile) {
  put("start", "");
  EXPECT_FALSE(*is_listening(dir, "start"));  // connect(2) says ECONNREFUSED for what is no socket
  EXPECT_FALSE(is_listening(dir, std::string(100, 'n')));
}

TEST_F(Socket, NameThatDoesNotFitIsRefusedAndNotCut) {
  const std::string name(100, 'n');
  Result<UniqueFd> listener = listen_at(dir, name);
  ASSERT_FALSE(listener);
  EXPECT_TRUE(listener.error().text.ends_with("/" + name + ": too long")) << listener.error().text;
}

// A stream socket that listens in a directory, as an engine's console socket does.
UniqueFd stream_listener(const std::string& directory, const char* name) {
  UniqueFd in = *open(kCwd, directory, O_RDONLY | O_DIRECTORY);
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string where = cat("/proc/self/fd/", in.raw(), "/", name);
  std::memcpy(address.sun_path, where.data(), where.size());
  EXPECT_EQ(::bind(fd.raw(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(::listen(fd.raw(), 1), 0);
  return fd;
}

TEST_F(Socket, StreamIsConnectedByAPathOfAnyLength) {
  std::string directory = path;
  for (int i = 0; i < 6; ++i) {
    UniqueFd listener = stream_listener(directory, "console.sock");
    Result<UniqueFd> caller = connect_stream(directory + "/console.sock");
    ASSERT_TRUE(caller) << caller.error().text;
    UniqueFd called(::accept4(listener.raw(), nullptr, nullptr, SOCK_CLOEXEC));
    ASSERT_TRUE(send_message(*caller, "x", dir));
    EXPECT_EQ(receive_message(called)->fds.size(), 1u);
    directory += "/" + std::string(40, 'd');
    ASSERT_TRUE(mkdir(kCwd, directory, 0700));
  }
}

// The bytes between a path that fits into sun_path and one that does not.
TEST_F(Socket, StreamIsConnectedByPathsAroundTheLimitOfTheAddress) {
  for (size_t length : {106, 107, 108, 109}) {
    const std::string directory = path + "/" + std::string(length - path.size() - 3, 'd');
    ASSERT_TRUE(mkdir(kCwd, directory, 0700));
    const std::string socket = directory + "/s";
    ASSERT_EQ(socket.size(), length);
    UniqueFd listener = stream_listener(directory, "s");
    Result<UniqueFd> caller = connect_stream(socket);
    EXPECT_TRUE(caller) << caller.error().text;
  }
}

TEST_F(Socket, StreamThatCannotBeConnectedIsNamedByItsPath) {
  Result<UniqueFd> caller = connect_stream(path + "/nobody");
  ASSERT_FALSE(caller);
  EXPECT_EQ(caller.error().code, ENOENT);
  EXPECT_EQ(caller.error().text, cat("connect to ", path, "/nobody: no socket is there"));
  const std::string far = path + "/" + std::string(200, 'd') + "/s";
  EXPECT_EQ(connect_stream(far).error().code, ENOENT);
}

// -- somebody who listens and is stuck

TEST_F(Socket, StreamToAFullQueueIsGivenUpWithinTheLimit) {
  const std::string socket = path + "/s";
  StuckServer server(socket);
  Result<UniqueFd> caller = connect_stream_within(socket, 30);
  ASSERT_FALSE(caller);
  EXPECT_EQ(caller.error().code, ETIMEDOUT);
  EXPECT_EQ(caller.error().text,
            cat("connect to ", socket, ": not accepted within 30 ms, and its queue is full: the ",
                "program that listens there has to accept connections, or to be restarted"));
  server.accept_one();
  EXPECT_TRUE(connect_stream_within(socket, 30));
}

TEST_F(Socket, StreamThatNobodyReadsIsGivenUpWithinTheLimitAlsoHalfWay) {
  const std::string socket = path + "/s";
  StuckServer server(socket);
  server.accept_one();
  UniqueFd caller = *connect_stream_within(socket, 30);
  // Part of it finds room.
  Result<> sent = send_message(caller, std::string(4 << 20, 'x'), dir);
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, EAGAIN);
}

TEST_F(Socket, StreamWithALimitSaysWhatElseIsWrongAsOneWithout) {
  EXPECT_EQ(connect_stream_within(path + "/nobody", 30).error().text,
            cat("connect to ", path, "/nobody: no socket is there"));
}

// -- several messages

TEST(Messages, AreReceivedTogetherUpToTheEnd) {
  auto [ours, theirs] = *socket_pair();
  ASSERT_TRUE(send_message(theirs, "one", ours));
  ASSERT_TRUE(send_message(theirs, "two"));
  theirs.reset();
  std::vector<Message> messages = *receive_messages(ours, 2);
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[0].bytes, "one");
  EXPECT_EQ(messages[0].fds.size(), 1u);
  EXPECT_EQ(messages[1].bytes, "two");
  EXPECT_EQ(messages[1].fds.size(), 0u);
  EXPECT_EQ(receive_messages(ours, 2)->front().bytes, "");
}

TEST(Messages, AnEndIsTheLastOfThem) {
  auto [ours, theirs] = *socket_pair();
  ASSERT_TRUE(send_message(theirs, "one"));
  theirs.reset();
  std::vector<Message> messages = *receive_messages(ours, 2);
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[1].bytes, "");
}

// Init has failed, and said why, before it could hear that it may start.
TEST(Messages, LastWordsOfAPeerThatDidNotHearUsAreHeard) {
  auto [ours, theirs] = *socket_pair();
  ASSERT_TRUE(send_message(theirs, "last words"));
  ASSERT_TRUE(send_message(ours, "never read"));
  theirs.reset();
  EXPECT_EQ(receive_messages(ours, 2)->front().bytes, "last words");
}

}  // namespace
}  // namespace ocirt::sys
