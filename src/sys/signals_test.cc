#include "src/sys/signals.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "src/sys/process.h"

namespace ocirt::sys {
namespace {

bool readable(Fd fd) {
  pollfd entry{fd.raw(), POLLIN, 0};
  return ::poll(&entry, 1, 0) == 1;
}

bool blocked(int signal) {
  sigset_t now;
  ::sigprocmask(SIG_SETMASK, nullptr, &now);
  return ::sigismember(&now, signal) == 1;
}

// A child that has ended and waits to be reaped.
pid_t zombie() {
  pid_t child = ::fork();
  if (child == 0) ::_exit(7);
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
  return child;
}

bool reaped(pid_t child) { return ::waitpid(child, nullptr, WNOHANG) < 0 && errno == ECHILD; }

TEST(SignalInbox, CollectsSignalsInsteadOfDeliveringThem) {
  SignalInbox inbox = *SignalInbox::open();
  EXPECT_FALSE(readable(inbox.fd()));
  EXPECT_EQ(*inbox.next(), 0);
  ::kill(::getpid(), SIGTERM);  // would end us
  EXPECT_TRUE(readable(inbox.fd()));
  EXPECT_EQ(*inbox.next(), SIGTERM);
  EXPECT_EQ(*inbox.next(), 0);
}

TEST(SignalInbox, HasEverySignalThatCanBeBlocked) {
  SignalInbox inbox = *SignalInbox::open();
  for (int signal : {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGCHLD, SIGWINCH, SIGRTMIN + 3}) {
    ::kill(::getpid(), signal);
    EXPECT_EQ(*inbox.next(), signal);
  }
}

TEST(SignalInbox, RestoresTheMaskThatWasThereBefore) {
  sigset_t before, some;
  ::sigemptyset(&some);
  ::sigaddset(&some, SIGUSR1);
  ::sigprocmask(SIG_SETMASK, &some, &before);
  {
    SignalInbox inbox = *SignalInbox::open();
    EXPECT_TRUE(blocked(SIGUSR2));
  }
  EXPECT_TRUE(blocked(SIGUSR1));
  EXPECT_FALSE(blocked(SIGUSR2));
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
}

TEST(SignalInbox, WorksOnAfterItWasMoved) {
  std::optional<SignalInbox> first(*SignalInbox::open());
  {
    SignalInbox second(std::move(*first));
    first.reset();  // must not restore the mask under the second one
    EXPECT_TRUE(blocked(SIGTERM));
    ::kill(::getpid(), SIGTERM);
    EXPECT_EQ(*second.next(), SIGTERM);
  }
  EXPECT_FALSE(blocked(SIGTERM));
}

TEST(Reaping, TakesEveryChildThatHasEnded) {
  pid_t first = zombie();
  pid_t second = zombie();
  reap_others_than(0);
  EXPECT_TRUE(reaped(first));
  EXPECT_TRUE(reaped(second));
}

TEST(Reaping, LeavesTheOneThatSomebodyElseWaitsFor) {
  pid_t other = zombie();
  pid_t ours = zombie();
  reap_others_than(ours);
  EXPECT_TRUE(reaped(other));
  int status = 0;
  EXPECT_EQ(::waitpid(ours, &status, WNOHANG), ours);
  EXPECT_EQ(WEXITSTATUS(status), 7);
}

TEST(Reaping, DoesNotWaitForChildrenThatLive) {
  pid_t child = ::fork();
  if (child == 0) {
    for (;;) ::pause();
  }
  reap_others_than(0);
  EXPECT_FALSE(reaped(child));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST(Signals, AreWaitedForWithoutADescriptor) {
  SignalInbox inbox = SignalInbox::block();
  EXPECT_FALSE(inbox.fd().valid());
  EXPECT_EQ(inbox.wait(0), 0);
  ::raise(SIGUSR1);
  EXPECT_EQ(inbox.wait(1000), SIGUSR1);
  ::raise(SIGUSR2);
  ASSERT_TRUE(inbox.listen());
  EXPECT_TRUE(inbox.fd().valid());
  EXPECT_EQ(*inbox.next(), SIGUSR2);
}

TEST(Signals, OfAChildThatWasForgottenTooEarlyIsRemembered) {
  SignalInbox inbox = SignalInbox::block();
  remember_child_signal();
  EXPECT_EQ(inbox.wait(0), SIGCHLD);
  remember_child_signal();
  forget_child_signal();
  EXPECT_EQ(inbox.wait(0), 0);
}

TEST(Signals, ChildThatHasEndedIsReapedAndOneThatLivesIsNot) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    char byte = 0;
    ::close(pipe[1]);
    ::_exit(::read(pipe[0], &byte, 1) == 0 ? 7 : 1);
  }
  UniqueFd pidfd = *pidfd_open(child);
  EXPECT_FALSE(ended_child(pidfd)->has_value());
  EXPECT_EQ(kinship(pidfd), Kinship::child);
  ::close(pipe[1]);
  ASSERT_TRUE(*wait_until_ended(pidfd, -1));
  EXPECT_EQ(kinship(pidfd), Kinship::ended_child);
  EXPECT_EQ((*ended_child(pidfd))->code, 7);
  EXPECT_FALSE(ended_child(pidfd));
  EXPECT_EQ(kinship(pidfd), Kinship::none);
  const UniqueFd parent = *pidfd_open(::getppid());
  EXPECT_EQ(kinship(parent), Kinship::none);
  ::close(pipe[0]);
}

}  // namespace
}  // namespace ocirt::sys
