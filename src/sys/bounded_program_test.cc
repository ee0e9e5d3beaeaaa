#include "src/sys/bounded_program.h"

#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "src/base/text.h"
#include "src/sys/test_directory.h"

namespace ocirt::sys {
namespace {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;

class BoundedProgram : public TestDirectory {
 protected:
  // Whether somebody has the lock, waiting for `expected` for at most ten seconds.
  bool is_locked(bool expected) {
    bool locked = !expected;
    for (int i = 0; i < 1000 && locked != expected; ++i) {
      const UniqueFd other = *open(kCwd, cat(path, "/lock"), O_RDWR | O_CREAT, 0600);
      locked = ::flock(other.raw(), LOCK_EX | LOCK_NB) != 0;
      if (locked != expected) ::usleep(10'000);
    }
    return locked;
  }
};

TEST_F(BoundedProgram, SaysHowItEnded) {
  EXPECT_TRUE(run_bounded(Words{"true"}, Fd(), 1min));
  EXPECT_EQ(run_bounded(Words{"false"}, Fd(), 1min).error().text, "false ended with status 1");
  EXPECT_EQ(run_bounded(Words{"no-such-program"}, Fd(), 1min).error().code, ENOENT);
}

TEST_F(BoundedProgram, EndsAfterTheLimitWithAllThatItHasStarted) {
  UniqueFd lock = *open(kCwd, cat(path, "/lock"), O_RDWR | O_CREAT, 0600);
  ASSERT_TRUE(lock_exclusive(lock, "it"));
  const Result<> done = run_bounded(Words{"sh", "-c", "sleep 1000 & sleep 1000"}, lock, 1s);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ETIMEDOUT);
  EXPECT_EQ(done.error().text, "sh was ended, since it took longer than 1 s");
  EXPECT_TRUE(is_locked(true));
  lock.reset();
  EXPECT_FALSE(is_locked(false));
}

TEST_F(BoundedProgram, EndsWithItsCallerAndHoldsTheLockUntilThen) {
  const pid_t caller = ::fork();
  if (caller == 0) {
    const UniqueFd lock = *open(kCwd, cat(path, "/lock"), O_RDWR | O_CREAT, 0600);
    if (!lock_exclusive(lock, "it")) ::_exit(1);
    (void)run_bounded(Words{"sh", "-c", cat("echo >", path, "/begun; sleep 1000")}, lock, 1min);
    ::_exit(1);
  }
  while (!exists(kCwd, cat(path, "/begun"))) ::usleep(1000);
  EXPECT_TRUE(is_locked(true));
  ::kill(caller, SIGKILL);
  ::waitpid(caller, nullptr, 0);
  EXPECT_FALSE(is_locked(false));
}

}  // namespace
}  // namespace ocirt::sys
