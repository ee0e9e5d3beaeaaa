#include "src/sys/copier.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "src/sys/file.h"
#include "src/sys/process.h"
#include "src/sys/signals.h"

namespace ocirt::sys {
namespace {

struct Pipe {
  Pipe() {
    int fds[2];
    EXPECT_EQ(::pipe2(fds, O_CLOEXEC), 0);
    from = UniqueFd(fds[0]);
    to = UniqueFd(fds[1]);
  }
  void put(std::string_view text) { EXPECT_TRUE(write_all(to, "pipe", text)); }
  // What can be read without waiting.
  std::string take() {
    std::string text(1 << 17, '\0');
    pollfd entry{from.raw(), POLLIN, 0};
    if (::poll(&entry, 1, 0) != 1) return "";
    ssize_t got = ::read(from.raw(), text.data(), text.size());
    text.resize(got < 0 ? 0 : static_cast<size_t>(got));
    return text;
  }
  // Fills it, so that the next write would block.
  size_t fill() {
    ::fcntl(to.raw(), F_SETFL, O_NONBLOCK);
    size_t total = 0;
    char bytes[4096] = {};
    for (ssize_t put; (put = ::write(to.raw(), bytes, sizeof bytes)) > 0;)
      total += static_cast<size_t>(put);
    ::fcntl(to.raw(), F_SETFL, 0);
    return total;
  }
  UniqueFd from, to;
};

// A loop as `run` has it, without a process: true when the copier can move.
bool ready(const Copier& copier) {
  Pipe quiet;
  // A signal descriptor that is always readable keeps the call from waiting.
  quiet.put("x");
  return wait_for(quiet.from, Fd(), copier, Copier())->keys;
}

TEST(Copying, GoesFromOneDescriptorToTheOther) {
  Pipe in, out;
  Copier copier(in.from, out.to);
  EXPECT_FALSE(ready(copier));
  in.put("some bytes");
  EXPECT_TRUE(ready(copier));
  copier.move();
  EXPECT_TRUE(ready(copier));
  copier.move();
  EXPECT_EQ(out.take(), "some bytes");
  EXPECT_FALSE(ready(copier));
}

TEST(Copying, LosesNothingOfALargeStream) {
  Pipe in, out;
  std::string sent;
  for (int i = 0; i < 40000; ++i) sent += std::to_string(i);
  pid_t writer = ::fork();
  if (writer == 0) ::_exit(write_all(in.to, "pipe", sent) ? 0 : 1);
  in.to.reset();
  Copier copier(in.from, out.to);
  std::string received;
  while (received.size() < sent.size()) {
    if (ready(copier)) copier.move();
    received += out.take();
  }
  EXPECT_TRUE(received == sent);
  ::waitpid(writer, nullptr, 0);
}

TEST(Copying, ReadsNoMoreWhileTheReaderStalls) {
  Pipe in, out;
  Copier copier(in.from, out.to);
  const size_t filled = out.fill();
  in.put("first");
  copier.move();
  in.put("second");
  EXPECT_FALSE(ready(copier));  // although there is something to read
  EXPECT_EQ(out.take().size(), filled);
  EXPECT_TRUE(ready(copier));
  copier.move();
  EXPECT_EQ(out.take(), "first");
}

// Unlike a pipe, a socket takes a part of what it is given.
TEST(Copying, GoesOnWhereAWriteStoppedHalfway) {
  int fds[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
  UniqueFd to(fds[0]), reader(fds[1]);
  int smallest = 1;
  ASSERT_EQ(::setsockopt(to.raw(), SOL_SOCKET, SO_SNDBUF, &smallest, sizeof smallest), 0);
  ASSERT_EQ(::write(to.raw(), "#", 1), 1);  // leaves no room for two pieces
  Pipe in;
  std::string sent;
  for (int i = 0; sent.size() < 4000; ++i) sent += std::to_string(i);
  in.put(sent);
  Copier copier(in.from, to);
  copier.move();
  copier.move();
  ASSERT_TRUE(copier.has_more()) << "the socket took everything: this tests nothing";
  std::string received;
  for (int i = 0; i < 10 && received.size() < sent.size() + 1; ++i) {
    char bytes[8192];
    ssize_t got = ::read(reader.raw(), bytes, sizeof bytes);
    if (got > 0) received.append(bytes, static_cast<size_t>(got));
    if (ready(copier)) copier.move();
  }
  EXPECT_EQ(received, "#" + sent);
}

TEST(Copying, EndsWithItsSource) {
  Pipe in, out;
  Copier copier(in.from, out.to);
  in.to.reset();
  EXPECT_TRUE(ready(copier));
  copier.move();
  EXPECT_FALSE(ready(copier));
  copier.move();  // does nothing, for ever
  EXPECT_EQ(out.take(), "");
}

TEST(Copying, EndsWhenNobodyReadsAnyMore) {
  SignalInbox inbox = *SignalInbox::open();  // as `run` has it: SIGPIPE is blocked
  Pipe in, out;
  Copier copier(in.from, out.to);
  in.put("x");
  copier.move();
  out.from.reset();
  EXPECT_TRUE(ready(copier));
  copier.move();
  in.put("y");
  EXPECT_FALSE(ready(copier));
  EXPECT_EQ(*inbox.next(), SIGPIPE);
}

TEST(Copying, OfNothingIsNeverReady) {
  Copier copier;
  EXPECT_FALSE(ready(copier));
  EXPECT_FALSE(copier.has_more());
  copier.move();
}

// What `run` does with the output of a process that has ended.
TEST(Copying, HasMoreUntilEverythingThatWasThereIsWritten) {
  Pipe in, out;
  Copier copier(in.from, out.to);
  EXPECT_FALSE(copier.has_more());     // the writing end is still open, but there is nothing
  const std::string text(10000, 'x');  // several buffers full
  in.put(text);
  int moves = 0;
  while (copier.has_more() && moves++ < 100) copier.move();
  EXPECT_EQ(out.take(), text);
  EXPECT_LT(moves, 100);
}

TEST(Copying, HasMoreWhileItHoldsWhatTheReaderHasNoRoomFor) {
  Pipe in, out;
  Copier copier(in.from, out.to);
  out.fill();
  in.put("the end");
  copier.move();
  EXPECT_TRUE(copier.has_more());
  (void)out.take();
  copier.move();
  EXPECT_FALSE(copier.has_more());
  EXPECT_EQ(out.take(), "the end");
}

TEST(Copying, HasNoMoreAfterTheEndOfItsSource) {
  Pipe in, out;
  Copier copier(in.from, out.to);
  in.put("x");
  in.to.reset();
  int moves = 0;
  while (copier.has_more() && moves++ < 100) copier.move();
  EXPECT_LT(moves, 100);
  EXPECT_EQ(out.take(), "x");
}

TEST(Copying, IsStalledWhileItHoldsWhatThereIsNoRoomFor) {
  Pipe in, out;
  Copier copier(in.from, out.to);
  EXPECT_FALSE(copier.is_stalled());
  out.fill();
  EXPECT_FALSE(copier.is_stalled());  // it holds nothing
  in.put("x");
  copier.move();
  EXPECT_TRUE(copier.is_stalled());
  (void)out.take();
  EXPECT_FALSE(copier.is_stalled());
  EXPECT_FALSE(Copier().is_stalled());
}

TEST(Reopened, PipeIsTheSameOneAndDoesNotWait) {
  Pipe out;
  UniqueFd own = reopen_without_waiting(out.to);
  ASSERT_TRUE(own.valid());
  EXPECT_NE(::fcntl(own.raw(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_EQ(::fcntl(own.raw(), F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(::fcntl(out.to.raw(), F_GETFL) & O_NONBLOCK, 0);  // others have that one too
  EXPECT_TRUE(write_all(own, "pipe", "through"));
  EXPECT_EQ(out.take(), "through");
}

TEST(Reopened, FileOrSocketIsNot) {
  UniqueFd file(::open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  ASSERT_TRUE(file.valid());
  EXPECT_FALSE(reopen_without_waiting(file).valid());
  int fds[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
  UniqueFd one(fds[0]), other(fds[1]);
  EXPECT_FALSE(reopen_without_waiting(one).valid());
  EXPECT_FALSE(reopen_without_waiting(Fd()).valid());
}

TEST(Waiting, TellsWhatOfTheFourHasHappened) {
  Pipe in, out, other;
  Copier keys(in.from, out.to), screen(other.from, out.to);
  pid_t child = ::fork();
  if (child == 0) {
    for (;;) ::pause();
  }
  UniqueFd pidfd = *pidfd_open(child);
  SignalInbox inbox = *SignalInbox::open();

  in.put("k");
  Readiness first = *wait_for(inbox.fd(), pidfd, keys, screen);
  EXPECT_TRUE(first.keys);
  EXPECT_FALSE(first.screen || first.ended || first.signal);
  (void)in.take();

  other.put("s");
  Readiness second = *wait_for(inbox.fd(), pidfd, keys, screen);
  EXPECT_TRUE(second.screen);
  EXPECT_FALSE(second.keys || second.ended || second.signal);
  (void)other.take();

  ::kill(::getpid(), SIGTERM);
  Readiness third = *wait_for(inbox.fd(), pidfd, keys, screen);
  EXPECT_TRUE(third.signal);
  EXPECT_FALSE(third.keys || third.screen || third.ended);
  EXPECT_EQ(*inbox.next(), SIGTERM);

  ::kill(child, SIGKILL);
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
  Readiness fourth = *wait_for(inbox.fd(), pidfd, keys, screen);
  EXPECT_TRUE(fourth.ended);
  EXPECT_FALSE(fourth.keys || fourth.screen);
  ::waitpid(child, nullptr, 0);
  while (*inbox.next() != 0) {
  }
}

}  // namespace
}  // namespace ocirt::sys
