#include "src/sys/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <thread>

#include "src/base/text.h"
#include "src/sys/clock.h"
#include "src/sys/control_file.h"
#include "src/sys/file.h"
#include "src/sys/socket.h"

namespace ocirt::sys {
namespace {

// A child that waits for its end, or ends at once with a status.
pid_t waiting_child() {
  pid_t child = ::fork();
  if (child == 0) {
    for (;;) ::pause();
  }
  return child;
}
pid_t child_with(int status) {
  pid_t child = ::fork();
  if (child == 0) ::_exit(status);
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
  return child;
}
void reap(pid_t child) {
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

// What a function returns in a child of its own.
template <class Body>
int in_child(Body body) {
  pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(ProcessStat, SaysWhoTheParentIsAndWhenItStarted) {
  ProcessStat own = **process_stat(::getpid());
  EXPECT_EQ(own.parent, ::getppid());
  EXPECT_EQ(own.state, 'R');
  pid_t child = waiting_child();
  ProcessStat stat = **process_stat(child);
  EXPECT_EQ(stat.parent, ::getpid());
  EXPECT_GE(stat.start_time, own.start_time);
  EXPECT_GT(own.start_time, 0u);
  EXPECT_EQ((*process_stat(child))->start_time, stat.start_time);
  reap(child);
}

TEST(ProcessStat, StartTimeIsInClockTicksSinceBoot) {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  pid_t child = waiting_child();
  const auto ticks = static_cast<double>((**process_stat(child)).start_time);
  EXPECT_NEAR(ticks / static_cast<double>(::sysconf(_SC_CLK_TCK)), static_cast<double>(now.tv_sec),
              30);
  reap(child);
}

TEST(ProcessStat, OfAZombieIsThere) {
  pid_t child = child_with(0);
  EXPECT_EQ((**process_stat(child)).state, 'Z');
  reap(child);
}

TEST(ProcessStat, OfNobodyIsNothingAndNoError) {
  pid_t child = child_with(0);
  reap(child);
  Result<std::optional<ProcessStat>> stat = process_stat(child);
  ASSERT_TRUE(stat);
  EXPECT_EQ(*stat, std::nullopt);
}

TEST(ProcessStat, IsNotConfusedByANameWithParenthesesAndBlanks) {
  EXPECT_EQ(in_child([] {
              ::prctl(PR_SET_NAME, ") Z 1 ) (", 0, 0, 0);
              std::optional<ProcessStat> stat = *process_stat(::getpid());
              return stat && stat->state == 'R' && stat->parent == ::getppid() ? 0 : 1;
            }),
            0);
}

TEST(ProcessStat, ListsIgnoredSignalsAndNotHandledOrBlockedOnes) {
  EXPECT_EQ(in_child([] {
              for (int signal = 1; signal < 32; ++signal) ::signal(signal, SIG_DFL);
              ::signal(SIGHUP, SIG_IGN);
              ::signal(SIGPIPE, SIG_IGN);
              ::signal(SIGTERM, [](int) {});
              sigset_t blocked;
              ::sigemptyset(&blocked);
              ::sigaddset(&blocked, SIGUSR1);
              ::sigprocmask(SIG_SETMASK, &blocked, nullptr);
              constexpr uint64_t kWanted = 1u << (SIGHUP - 1) | 1u << (SIGPIPE - 1);
              return (**process_stat(::getpid())).ignored_signals == kWanted ? 0 : 1;
            }),
            0);
}

TEST(KillChild, EndsAChildAndNobodyElse) {
  const pid_t child = waiting_child();
  kill_child(child);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status));
  kill_child(::getpid());  // or the test would end here
  kill_child(0);           // and its process group
}

TEST(KillChildrenAfter, EndsThoseThatCameLaterAndNoOthers) {
  const pid_t before = waiting_child();
  const pid_t named = waiting_child();
  const pid_t later = waiting_child();
  if (before > named || named > later) GTEST_SKIP() << "the kernel began its numbers anew";
  kill_children_after(named);
  int status = 0;
  ASSERT_EQ(::waitpid(later, &status, 0), later);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(::waitpid(before, &status, WNOHANG), 0);
  EXPECT_EQ(::waitpid(named, &status, WNOHANG), 0);
  for (const pid_t child : {before, named}) {
    kill_child(child);
    reap(child);
  }
}

TEST(Pidfd, OfNobodyIsEsrch) {
  pid_t child = child_with(0);
  reap(child);
  Result<UniqueFd> pidfd = pidfd_open(child);
  ASSERT_FALSE(pidfd);
  EXPECT_EQ(pidfd.error().code, ESRCH);
  EXPECT_EQ(pidfd.error().text, cat("pidfd_open ", child, ": No such process"));
}

TEST(Pidfd, OfANumberThatOnlyAProcessGroupStillHasIsEsrch) {
  // The leader ends, its child keeps the number of the group.
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t leader = ::fork();
  if (leader == 0) {
    ::setpgid(0, 0);
    if (::fork() == 0) {
      char byte = 0;
      ::close(ends[1]);
      ::_exit(static_cast<int>(::read(ends[0], &byte, 1)));
    }
    ::_exit(0);
  }
  ASSERT_EQ(::waitpid(leader, nullptr, 0), leader);
  Result<UniqueFd> pidfd = pidfd_open(leader);
  ASSERT_FALSE(pidfd);
  EXPECT_EQ(pidfd.error().code, ESRCH);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(Pidfd, OfAThreadIsEsrch) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  pid_t thread = 0;
  std::thread other([&] {
    std::atomic_ref(thread).store(::gettid());
    char byte = 0;
    (void)!::read(ends[0], &byte, 1);
  });
  while (std::atomic_ref(thread).load() == 0) ::usleep(1000);
  Result<UniqueFd> pidfd = pidfd_open(thread);
  ::close(ends[1]);
  other.join();
  ::close(ends[0]);
  ASSERT_FALSE(pidfd);
  EXPECT_EQ(pidfd.error().code, ESRCH);
}

TEST(Pidfd, CarriesASignalToItsProcess) {
  pid_t child = waiting_child();
  UniqueFd pidfd = *pidfd_open(child);
  EXPECT_EQ(::fcntl(pidfd.raw(), F_GETFD), FD_CLOEXEC);
  ASSERT_TRUE(send_signal(pidfd, SIGTERM));
  ExitStatus status = *wait_child(pidfd);
  EXPECT_EQ(status.signal, SIGTERM);
  EXPECT_EQ(status.shell_code(), 128 + SIGTERM);
}

TEST(Pidfd, OfAProcessThatIsGoneTakesNoSignal) {
  pid_t child = waiting_child();
  UniqueFd pidfd = *pidfd_open(child);
  reap(child);
  Result<> sent = send_signal(pidfd, SIGTERM);
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, ESRCH);
  EXPECT_EQ(sent.error().text, "send signal 15: No such process");
}

TEST(Pidfd, WaitsNoLongerThanItIsTold) {
  pid_t child = waiting_child();
  UniqueFd pidfd = *pidfd_open(child);
  EXPECT_FALSE(*wait_until_ended(pidfd, 0));
  const int64_t begin = monotonic_ms();
  EXPECT_FALSE(*wait_until_ended(pidfd, 50));
  EXPECT_GE(monotonic_ms() - begin, 49);
  reap(child);
  EXPECT_TRUE(*wait_until_ended(pidfd, 0));
}

TEST(Pidfd, IsWaitedForWithoutALimit) {
  pid_t child = ::fork();
  if (child == 0) {
    pause_ms(20);
    ::_exit(0);
  }
  UniqueFd pidfd = *pidfd_open(child);
  EXPECT_TRUE(*wait_until_ended(pidfd, -1));
  reap(child);
}

TEST(Pidfd, SignalsDoNotMakeTheWaitingShorterOrLonger) {
  struct sigaction handler{}, before{};
  handler.sa_handler = [](int) {};  // without SA_RESTART
  ::sigaction(SIGALRM, &handler, &before);
  pid_t child = waiting_child();
  UniqueFd pidfd = *pidfd_open(child);
  itimerval often{{0, 20000}, {0, 20000}}, never{};
  const int64_t begin = monotonic_ms();
  ::setitimer(ITIMER_REAL, &often, nullptr);
  EXPECT_FALSE(*wait_until_ended(pidfd, 150));
  ::setitimer(ITIMER_REAL, &never, nullptr);
  const int64_t took = monotonic_ms() - begin;
  ::sigaction(SIGALRM, &before, nullptr);
  EXPECT_GE(took, 149);
  EXPECT_LT(took, 5000);
  reap(child);
}

TEST(WaitChild, TellsAStatusFromASignal) {
  pid_t exited = child_with(3);
  UniqueFd pidfd = *pidfd_open(exited);
  ExitStatus status = *wait_child(pidfd);
  EXPECT_EQ(status.code, 3);
  EXPECT_EQ(status.signal, 0);
  EXPECT_EQ(status.shell_code(), 3);
  EXPECT_EQ(::waitpid(exited, nullptr, WNOHANG), -1);  // it was reaped
}

TEST(WaitChild, OfSomebodyElsesChildIsAnError) {
  UniqueFd own = *pidfd_open(::getpid());
  Result<ExitStatus> status = wait_child(own);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().text, "wait for child: No child processes");
}

TEST(WaitUntilHeard, LastWordsAreHeardAfterTheEnd) {
  auto [ours, theirs] = *socket_pair();
  const pid_t child = ::fork();
  if (child == 0) ::_exit(::write(theirs.raw(), "x", 1) == 1 ? 0 : 1);
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
  const UniqueFd pidfd = *pidfd_open(child);
  EXPECT_EQ(wait_until_heard(ours, pidfd), true);
  reap(child);
}

TEST(WaitUntilHeard, AnEndWithoutAWordIsNotWaitedFor) {
  auto [ours, theirs] = *socket_pair();
  const pid_t child = child_with(0);
  const UniqueFd pidfd = *pidfd_open(child);
  EXPECT_EQ(wait_until_heard(ours, pidfd), false);
  reap(child);
}

TEST(Subreaper, InheritsOrphans) {
  EXPECT_EQ(in_child([] {
              if (!become_subreaper()) return 1;
              pid_t parent = ::fork();
              if (parent == 0) {
                if (::fork() == 0) ::_exit(9);
                ::_exit(0);
              }
              ::waitpid(parent, nullptr, 0);
              int status = 0;
              if (::waitpid(-1, &status, 0) < 0) return 2;
              return WEXITSTATUS(status) == 9 ? 0 : 3;
            }),
            0);
}

TEST(Setns, RefusesWhatIsNoNamespace) {
  UniqueFd null = *open(kCwd, "/dev/null", O_RDONLY);
  Result<> joined = setns(null, CLONE_NEWNS);
  ASSERT_FALSE(joined);
  EXPECT_EQ(joined.error().code, EINVAL);
  EXPECT_EQ(joined.error().text, "setns: Invalid argument");
}

TEST(Setns, EntersANamespace) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root: makes a UTS namespace";
  EXPECT_EQ(in_child([] {
              UniqueFd home = *open(kCwd, "/proc/self/ns/uts", O_RDONLY);
              std::string at_home = *read_link(kCwd, "/proc/self/ns/uts");
              if (::unshare(CLONE_NEWUTS) < 0) return 1;
              if (*read_link(kCwd, "/proc/self/ns/uts") == at_home) return 2;
              if (!setns(home, CLONE_NEWUTS)) return 3;
              return *read_link(kCwd, "/proc/self/ns/uts") == at_home ? 0 : 4;
            }),
            0);
}

TEST(InheritedDescriptor, IsOpenAndNotOneOfOurOwn) {
  UniqueFd own = *open(kCwd, "/dev/null", O_RDONLY);
  EXPECT_FALSE(is_inherited(own));
  UniqueFd passed(::dup(own.raw()));  // as after an exec: without close-on-exec
  const Fd borrowed = passed;
  EXPECT_TRUE(is_inherited(borrowed));
  passed.reset();
  EXPECT_FALSE(is_inherited(borrowed));
  EXPECT_FALSE(is_inherited(Fd()));
}

}  // namespace
}  // namespace ocirt::sys
