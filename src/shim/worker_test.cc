#include "src/shim/worker.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <csignal>
#include <optional>
#include <string>

#include "src/base/text.h"
#include "src/sys/file.h"
#include "src/sys/signals.h"

namespace ocirt::shim {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class Working : public testing::Test {
 protected:
  // Waits for the answer of the job.
  Result<Done> outcome(Job job) {
    std::optional<Result<Done>> outcome;
    job.name = "test";
    job.finished = [&](Result<Done> done) { outcome = std::move(done); };
    last_ = workers.start(std::move(job));
    const sys::Nanoseconds end = sys::monotonic_now() + 10s;
    while (!outcome && sys::monotonic_now() < end) {
      EXPECT_TRUE(loop->turn(1ms));
      while (std::optional<sys::Reaped> reaped = sys::reap_any())
        EXPECT_TRUE(workers.ended(reaped->pid, reaped->status));
    }
    EXPECT_TRUE(outcome);
    return outcome ? *std::move(outcome) : Result<Done>(refuse("nothing"));
  }
  template <class F>
  Result<Done> outcome_of(F work) {
    Job job;
    job.own_errors = true;
    job.work = std::move(work);
    return outcome(std::move(job));
  }

  std::unique_ptr<sys::EventLoop> loop = *sys::EventLoop::open();
  Workers workers{*loop};
  pid_t last_ = 0;
};

TEST_F(Working, AnswerArrivesAsItWasGiven) {
  Result<Done> done = outcome_of([] { return Done{7, 99, "text", "warning"}; });
  ASSERT_TRUE(done);
  EXPECT_EQ(done->pid, 7);
  EXPECT_EQ(done->start_time, 99u);
  EXPECT_EQ(done->text, "text");
  EXPECT_EQ(done->warnings, "warning");
}

TEST_F(Working, ErrorArrivesWithItsCode) {
  Result<Done> done =
      outcome_of([]() -> Result<Done> { return std::unexpected(Error{17, "it is there"}); });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, 17);
  EXPECT_EQ(done.error().text, "it is there");
}

TEST_F(Working, WhatItSaidComesWithTheError) {
  Result<Done> done = outcome_of([]() -> Result<Done> {
    sys::print_error("a\nb\n");
    return refuse("no");
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().text, "no (it said: a b)");
}

TEST_F(Working, TalkingMuchStopsNobody) {
  Result<Done> done = outcome_of([]() -> Result<Done> {
    for (int i = 0; i < 300; ++i) sys::print_error(std::string(1000, 'x'));
    return refuse("no");
  });
  ASSERT_FALSE(done);
  EXPECT_LT(done.error().text.size(), 1100u);
}

// Whoever talks faster than it is heard, a probe's program in the container for one, and whoever
// goes on when the worker has ended.
TEST_F(Working, TalkingWithoutEndIsGivenUpLikeSilence) {
  for (const bool in_a_child : {false, true}) {
    int guard[2];
    ASSERT_EQ(0, ::pipe(guard));
    Job job;
    job.own_errors = true;
    job.timeout = 200ms;
    job.keep = {guard[0]};
    job.work = [&]() -> Result<Done> {
      if (in_a_child && ::fork() != 0) return refuse("no");
      ::setsid();
      static const std::string words(1 << 16, 'x');
      ::fcntl(guard[0], F_SETFL, O_NONBLOCK);
      char byte = 0;
      while (::write(2, words.data(), words.size()) > 0 && ::read(guard[0], &byte, 1) != 0) {
      }
      ::_exit(0);
    };
    const Result<Done> done = outcome(std::move(job));
    EXPECT_THAT(done.error().text, HasSubstr(in_a_child ? "no" : "took too long"));
    ::close(guard[1]);
    ::close(guard[0]);
  }
}

TEST_F(Working, LongAnswerArrivesWhole) {
  Result<Done> done =
      outcome_of([] { return Done{0, 0, std::string(kMostText, 't'), std::string(50000, 'w')}; });
  ASSERT_TRUE(done) << done.error().text;
  EXPECT_EQ(done->text, std::string(kMostText, 't'));
  EXPECT_EQ(done->warnings, std::string(50000, 'w'));
}

TEST_F(Working, AnswerThatIsTooLongIsAnErrorAndNotCut) {
  Result<Done> done = outcome_of([] { return Done{0, 0, std::string(kMostText + 1, 't'), ""}; });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().text, "an answer of 1048577 bytes, more than 1048576");
}

// An ordinary user who has many pipes gets small ones: pipe-user-pages-soft of pipe(7).
TEST_F(Working, LongAnswerArrivesWholeWherePipesAreSmallToo) {
  const pid_t user = ::fork();
  if (user == 0) {
    constexpr uid_t kNobodyElse = 1'747'000;
    if (::geteuid() == 0 && ::setresuid(kNobodyElse, kNobodyElse, kNobodyElse) != 0) ::_exit(2);
    int pipe[2];
    for (int i = 0; i < 200; ++i) {  // of 1 MiB each, empty
      if (::pipe(pipe) != 0 || ::fcntl(pipe[0], F_SETPIPE_SZ, 1 << 20) < 0) break;
    }
    if (::pipe(pipe) != 0 || ::fcntl(pipe[0], F_GETPIPE_SZ) >= 30000) ::_exit(3);
    Result<Done> done = outcome_of([] { return Done{0, 0, std::string(30000, 't'), ""}; });
    ::_exit(done && done->text.size() == 30000 ? 0 : 1);
  }
  int status = -1;
  ::waitpid(user, &status, 0);
  if (WEXITSTATUS(status) == 3) GTEST_SKIP() << "pipes are not rationed here";
  EXPECT_EQ(status, 0);
}

TEST_F(Working, KilledWorkerIsAnErrorThatSaysSo) {
  Result<Done> done = outcome_of([]() -> Result<Done> {
    ::kill(::getpid(), SIGKILL);
    return Done{};
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().text, "test: the worker was killed by signal 9");
}

TEST_F(Working, WorkerThatEndsWithoutAnswerIsAnError) {
  Result<Done> done = outcome_of([]() -> Result<Done> { ::_exit(3); });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().text, "test: the worker ended with status 3 and no answer");
}

TEST_F(Working, LateWorkerIsGivenUp) {
  Job job;
  job.timeout = 20ms;
  job.work = []() -> Result<Done> {
    ::pause();
    return Done{};
  };
  Result<Done> done = outcome(std::move(job));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().text, "test: took too long and was given up");
}

TEST_F(Working, WhatAKilledOneHasStartedIsEndedToo) {
  UniqueFd alive, ours;
  {
    int fds[2];
    ASSERT_EQ(::pipe(fds), 0);
    ours = UniqueFd(fds[0]);
    alive = UniqueFd(fds[1]);
  }
  Job job;
  job.keep = {alive.raw()};
  job.work = []() -> Result<Done> {
    if (::fork() == 0) ::pause();
    ::kill(::getpid(), SIGKILL);
    return Done{};
  };
  EXPECT_FALSE(outcome(std::move(job)));
  alive.reset();
  char byte;
  EXPECT_EQ(::read(ours.raw(), &byte, 1), 0);  // nobody has the other end any more
}

TEST_F(Working, WhatOneHasStartedEndsWithTheShimToo) {
  int fds[2];
  ASSERT_EQ(::pipe(fds), 0);
  const UniqueFd ours(fds[0]);
  UniqueFd theirs(fds[1]);
  const pid_t shim = ::fork();
  if (shim == 0) {
    Job job;
    job.keep = {theirs.raw()};
    job.work = [fd = theirs.raw()]() -> Result<Done> {
      if (::fork() == 0) {
        (void)::write(fd, "x", 1);
        for (;;) ::pause();
      }
      for (;;) ::pause();
    };
    workers.start(std::move(job));
    theirs.reset();
    for (;;) ::pause();
  }
  theirs.reset();
  char byte;
  ASSERT_EQ(::read(ours.raw(), &byte, 1), 1);
  ::kill(shim, SIGKILL);
  EXPECT_EQ(::read(ours.raw(), &byte, 1), 0);  // nobody has the other end any more
  ::waitpid(shim, nullptr, 0);
}

TEST_F(Working, HasNoDescriptorsButThoseThatItIsGiven) {
  UniqueFd null = *sys::open(sys::kCwd, "/dev/null", O_RDONLY);
  UniqueFd other = *sys::open(sys::kCwd, "/dev/null", O_RDONLY);
  Job job;
  job.keep = {null.raw()};
  job.work = [&]() -> Result<Done> {
    Result<std::vector<std::string>> names = sys::list_directory(sys::kCwd, "/proc/self/fd");
    // 0 to 2, the pipe of the answer, ours, and the one that reads the directory
    return Done{0, 0, cat(names->size(), sys::is_inherited(other) ? " leaked" : ""), ""};
  };
  Result<Done> done = outcome(std::move(job));
  ASSERT_TRUE(done);
  EXPECT_EQ(done->text, "6");
}

TEST_F(Working, SignalsAreUnblockedInAWorker) {
  sys::SignalInbox inbox = *sys::SignalInbox::open();
  Result<Done> done = outcome_of([]() -> Result<Done> {
    ::raise(SIGTERM);
    return Done{};
  });
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().text, HasSubstr("killed by signal 15"));
}

}  // namespace
}  // namespace ocirt::shim
