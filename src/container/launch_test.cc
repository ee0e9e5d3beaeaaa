#include "src/container/launch.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "src/base/text.h"
#include "src/plan/protocol.h"
#include "src/sys/socket.h"
#include "src/sys/stuck_server.h"
#include "src/sys/test_directory.h"

namespace ocirt::container {
namespace {

using testing::StartsWith;
using testing::UnorderedElementsAre;

// -- descriptors that stay open

// What preserved_fds() says in a child with the descriptors 0 to `last` open and no more, and with
// these variables: "ALL LISTEN", or the error. `pid` may be "own".
std::string preserved(int asked_for, int last, const char* listen_fds = nullptr,
                      const char* pid = "own") {
  int pipe[2];
  EXPECT_EQ(::pipe(pipe), 0);
  pid_t child = ::fork();
  if (child == 0) {
    ::dup2(pipe[1], 900);
    int null = ::open("/dev/null", O_RDONLY);
    for (int fd = 3; fd <= last; ++fd) ::dup2(null, fd);
    ::close_range(static_cast<unsigned>(last) + 1, 899, 0);
    ::unsetenv("LISTEN_FDS");
    ::unsetenv("LISTEN_PID");
    if (listen_fds != nullptr) ::setenv("LISTEN_FDS", listen_fds, 1);
    if (pid != nullptr) {
      ::setenv("LISTEN_PID", std::string_view(pid) == "own" ? cat(::getpid()).c_str() : pid, 1);
    }
    Result<PreservedFds> fds = preserved_fds(asked_for);
    std::string said = fds ? cat(fds->all, " ", fds->listen) : fds.error().text;
    if (fds && fds->missing) said += cat(" without ", *fds->missing);
    (void)sys::write_all(Fd(900), "pipe", said);
    ::_exit(0);
  }
  ::close(pipe[1]);
  std::string said = *sys::read_all(Fd(pipe[0]), "pipe");
  ::close(pipe[0]);
  ::waitpid(child, nullptr, 0);
  return said;
}

TEST(PreservedFds, AreAsManyAsAskedFor) {
  EXPECT_EQ(preserved(0, 2), "0 0");
  EXPECT_EQ(preserved(2, 4), "2 0");
  EXPECT_EQ(preserved(2, 9), "2 0");
}

TEST(PreservedFds, EndWithTheLastThatIsOpen) {
  EXPECT_EQ(preserved(3, 4), "2 0 without 5");
  EXPECT_EQ(preserved(1, 2), "0 0 without 3");
}

// What ocirt opens later must not have a number that the container's program keeps.
TEST(PreservedFds, GapsArePlugged) {
  const pid_t child = ::fork();
  if (child == 0) {
    const int null = ::open("/dev/null", O_RDONLY);
    for (int fd = 3; fd <= 9; ++fd) ::dup2(null, fd);
    ::close_range(10, ~0U, 0);
    ::close(5);
    ::close(7);
    ::unsetenv("LISTEN_FDS");
    Result<PreservedFds> fds = preserved_fds(7);
    const bool right = fds && fds->all == 7 && fds->missing == 5u && fds->plugs.size() == 2 &&
                       ::open("/dev/null", O_RDONLY) == 10 &&
                       (::fcntl(5, F_GETFD) & FD_CLOEXEC) != 0 &&
                       (::fcntl(7, F_GETFD) & FD_CLOEXEC) != 0;
    ::_exit(right ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST(PreservedFds, ThoseOfSocketActivationComeOnTop) {
  EXPECT_EQ(preserved(0, 4, "2"), "2 2");
  EXPECT_EQ(preserved(1, 5, "2"), "3 2");
  EXPECT_EQ(preserved(1, 4, "2"), "2 2 without 5");
}

TEST(PreservedFds, SocketActivationOfSomebodyElseIsNotOurs) {
  EXPECT_EQ(preserved(0, 4, "2", "1"), "0 0");
  EXPECT_EQ(preserved(0, 4, "2", ""), "0 0");
}

TEST(PreservedFds, SocketActivationOfNobodyInParticularIsOurs) {
  EXPECT_EQ(preserved(0, 4, "2", nullptr), "2 2");
}

TEST(PreservedFds, NumberThatIsNoneCountsAsNone) {
  for (const char* count : {"", "-1", "x", "2x"}) EXPECT_EQ(preserved(0, 4, count), "0 0") << count;
}

TEST(PreservedFds, HaveALimit) {
  EXPECT_EQ(preserved(65537, 4), "--preserve-fds: more than 65536 descriptors");
  EXPECT_EQ(preserved(1, 4, "65536"), "--preserve-fds: more than 65536 descriptors");
  EXPECT_EQ(preserved(1, 4, "4294967295"), "--preserve-fds: more than 65536 descriptors");
}

// -- the console socket

class ConsoleSocket : public sys::TestDirectory {
 protected:
  std::string refusal(const std::string& socket, bool terminal, bool detached) {
    Result<UniqueFd> fd = open_console_socket(socket, terminal, detached);
    return fd ? "" : fd.error().text;
  }
};

TEST_F(ConsoleSocket, IsConnectedForADetachedTerminal) {
  const std::string socket = path + "/console.sock";
  UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket.data(), socket.size());
  ASSERT_EQ(::bind(listener.raw(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(listener.raw(), 1), 0);
  Result<UniqueFd> fd = open_console_socket(socket, true, true);
  ASSERT_TRUE(fd) << fd.error().text;
  EXPECT_GE(::accept4(listener.raw(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK), 0);
}

TEST_F(ConsoleSocket, IsNotNeededOtherwise) {
  for (auto [terminal, detached] : {std::pair(false, false), {false, true}, {true, false}}) {
    Result<UniqueFd> fd = open_console_socket("", terminal, detached);
    ASSERT_TRUE(fd) << fd.error().text;
    EXPECT_FALSE(fd->valid());
  }
}

TEST_F(ConsoleSocket, IsNeededByADetachedTerminal) {
  EXPECT_EQ(refusal("", true, true),
            "process.terminal: cannot allocate a terminal for a detached process without "
            "--console-socket");
}

TEST_F(ConsoleSocket, IsRefusedWhereNobodyWouldUseIt) {
  EXPECT_EQ(refusal("/s", false, true), "--console-socket needs process.terminal to be true");
  EXPECT_EQ(refusal("/s", false, false), "--console-socket needs process.terminal to be true");
  EXPECT_EQ(refusal("/s", true, false),
            "--console-socket needs a detached process: an attached one uses our own terminal");
}

TEST_F(ConsoleSocket, ThatCannotBeConnectedIsNamed) {
  EXPECT_THAT(refusal(path + "/none", true, true),
              StartsWith(cat("--console-socket: connect to ", path, "/none: no socket")));
}

TEST_F(ConsoleSocket, WhoseOwnerIsStuckIsGivenUpWithinTheLimit) {
  const std::string socket = path + "/console.sock";
  sys::StuckServer server(socket);
  Result<UniqueFd> fd = open_console_socket(socket, true, true, {}, 30);
  ASSERT_FALSE(fd);
  EXPECT_EQ(fd.error().code, ETIMEDOUT);
  EXPECT_THAT(fd.error().text, StartsWith(cat("--console-socket: connect to ", socket,
                                              ": not accepted within 30 ms")));
}

// -- init's last words

class LastWords : public testing::Test {
 protected:
  void say(plan::Word word, int32_t error = 0, std::string_view text = "") {
    plan::Header header{word, error};
    std::string message(reinterpret_cast<const char*>(&header), sizeof header);
    ASSERT_TRUE(sys::send_message(pair.second, message.append(text)));
  }
  Result<> heard() {
    pair.second.reset();
    return program_runs(pair.first, {});
  }
  std::pair<UniqueFd, UniqueFd> pair = *sys::socket_pair();
};

// The descriptor closes on exec: its end after Executing is the only word of a success.
TEST_F(LastWords, EndAfterTheAnnouncementMeansThatTheProgramRuns) {
  say(plan::Word::executing);
  EXPECT_TRUE(heard());
}

TEST_F(LastWords, EndWithoutTheAnnouncementIsInitsDeath) {
  EXPECT_EQ(heard().error().text, "init was killed before it could execute the program");
}

TEST_F(LastWords, ProgramThatCannotBeExecutedIsAFailureAfterTheAnnouncement) {
  say(plan::Word::executing);
  say(plan::Word::failed, EACCES, "exec /bin/x");
  EXPECT_EQ(heard().error().text, "exec /bin/x: Permission denied");
}

TEST_F(LastWords, FailureIsTheErrorThatInitNamed) {
  say(plan::Word::failed, ENOEXEC, "exec /bin/x");
  Result<> result = heard();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ENOEXEC);
  EXPECT_EQ(result.error().text, "exec /bin/x: Exec format error");
}

TEST_F(LastWords, FailureWithoutACodeIsTheWholeSentence) {
  say(plan::Word::failed, 0, "process.args[0]: nothing");
  EXPECT_EQ(heard().error().text, "process.args[0]: nothing");
}

TEST_F(LastWords, AnythingElseIsOutOfOrder) {
  say(plan::Word::ready);
  EXPECT_EQ(heard().error().text, "init said something out of order");
}

TEST_F(LastWords, FragmentIsNoWord) {
  ASSERT_TRUE(sys::send_message(pair.second, "abc"));
  EXPECT_EQ(heard().error().text, "init: spoke in fragments");
}

TEST_F(LastWords, ListenerThatNobodyAskedForIsRefused) {
  say(plan::Word::listener);
  EXPECT_EQ(heard().error().text, "init sent a seccomp listener that nobody asked for");
}

}  // namespace
}  // namespace ocirt::container
