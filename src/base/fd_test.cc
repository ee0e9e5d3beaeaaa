#include "src/base/fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <functional>
#include <vector>

namespace ocirt {
namespace {

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

UniqueFd some_fd() { return UniqueFd(::fcntl(0, F_DUPFD_CLOEXEC, 10)); }

// Groups belong to a process: each test has one of its own, which ends with 0 when `test` is true.
bool in_a_process(const std::function<bool()>& test) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(test() ? 0 : 1);
  int status = 1;
  ::waitpid(child, &status, 0);
  return status == 0;
}

TEST(CloseLater, ClosesAtOnceUnlessTheProcessHasAskedForGroups) {
  UniqueFd fd = some_fd();
  const int number = fd.raw();
  fd.close_later();
  EXPECT_FALSE(fd.valid());
  EXPECT_FALSE(is_open(number));
}

TEST(CloseLater, InGroupsLeavesItOpenUntilTheGroupIsClosed) {
  EXPECT_TRUE(in_a_process([] {
    UniqueFd::close_in_groups();
    std::vector<UniqueFd> fds;
    for (int i = 0; i < 8; ++i) fds.push_back(some_fd());
    std::vector<int> numbers;
    for (const UniqueFd& fd : fds) numbers.push_back(fd.raw());
    for (int i : {0, 1, 2, 4, 7}) fds[static_cast<size_t>(i)].close_later();
    for (int number : numbers) {
      if (!is_open(number)) return false;
    }
    UniqueFd::close_group();
    for (int i = 0; i < 8; ++i) {
      const bool kept = i == 3 || i == 5 || i == 6;
      if (is_open(numbers[static_cast<size_t>(i)]) != kept) return false;
    }
    return true;
  }));
}

TEST(CloseLater, DoesNotCollectMoreThanAFew) {
  EXPECT_TRUE(in_a_process([] {
    UniqueFd::close_in_groups();
    int last = -1;
    for (int i = 0; i < 1000; ++i) {
      UniqueFd fd = some_fd();
      last = fd.raw();
      fd.close_later();
    }
    return last < 40;
  }));
}

TEST(CloseLater, AGroupThatWasClosedClosesNothingAgain) {
  EXPECT_TRUE(in_a_process([] {
    UniqueFd::close_in_groups();
    UniqueFd fd = some_fd();
    const int number = fd.raw();
    fd.close_later();
    UniqueFd::close_group();
    UniqueFd other = some_fd();  // has the number now
    UniqueFd::close_group();
    return other.raw() == number && is_open(number);
  }));
}

}  // namespace
}  // namespace ocirt
