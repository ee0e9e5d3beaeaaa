#include "src/sys/first_process.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "src/base/text.h"
#include "src/sys/test_directory.h"

namespace ocirt::sys {
namespace {

class FirstProcessTest : public TestDirectory {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root for a mount namespace";
  }
};

TEST_F(FirstProcessTest, SaysWhichStepFailedAndIsGone) {
  const FirstProcess kind{.empty = cat(path, "/missing"), .makes_pid_namespace = false};
  bool claimed = false;
  const Result<> started = start_first_process(kind, [&](pid_t) -> Result<> {
    claimed = true;
    return {};
  });
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ENOENT);
  EXPECT_EQ(started.error().text,
            cat("mount its empty root on ", kind.empty, ": No such file or directory"));
  EXPECT_FALSE(claimed);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "its process is still there";
}

TEST_F(FirstProcessTest, IsGoneWhenItCannotBeWrittenDown) {
  const FirstProcess kind{.empty = path, .makes_pid_namespace = false};
  const Result<> started =
      start_first_process(kind, [](pid_t) -> Result<> { return refuse("no room"); });
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().text, "no room");
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "its process is still there";
}

TEST_F(FirstProcessTest, HasTheNamePauseAndAnEmptyRootThatCannotBeWritten) {
  const FirstProcess kind{.empty = path, .makes_pid_namespace = false};
  pid_t pid = 0;
  const Result<> started = start_first_process(kind, [&](pid_t first) -> Result<> {
    pid = first;
    return {};
  });
  ASSERT_TRUE(started) << started.error().text;
  const std::string proc = cat("/proc/", pid);
  EXPECT_EQ(read_file(kCwd, cat(proc, "/comm")).value_or(""), "pause\n");
  EXPECT_TRUE(list_directory(kCwd, cat(proc, "/root/"))->empty());
  EXPECT_NE(::access(cat(proc, "/root/").c_str(), W_OK), 0);
  EXPECT_EQ(errno, EROFS);
  ::kill(pid, SIGKILL);
  EXPECT_EQ(::waitpid(pid, nullptr, 0), pid);
}

}  // namespace
}  // namespace ocirt::sys
