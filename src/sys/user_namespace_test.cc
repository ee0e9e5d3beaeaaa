#include "src/sys/user_namespace.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "src/base/text.h"
#include "src/sys/file.h"
#include "src/sys/mount_tree.h"
#include "src/sys/namespace.h"

namespace ocirt::sys {
namespace {

class MappingNamespace : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to map ids of others";
  }
};

TEST_F(MappingNamespace, HasTheMappingsAndNoProcess) {
  Result<UniqueFd> made = make_user_namespace("0 1000 5\n7 2000 1\n", "0 3000 1\n");
  ASSERT_TRUE(made) << made.error().text;
  EXPECT_TRUE(open_namespace(cat("/proc/self/fd/", made->raw()), CLONE_NEWUSER));
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
  // Seen from a process inside.
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (::setns(made->raw(), CLONE_NEWUSER) == 0) {
      Result<std::string> text = read_file(kCwd, "/proc/self/uid_map");
      if (text) (void)!::write(ends[1], text->data(), text->size());
    }
    ::_exit(0);
  }
  ::close(ends[1]);
  Result<std::string> seen = read_all(Fd(ends[0]), "the pipe");
  ::close(ends[0]);
  ::waitpid(pid, nullptr, 0);
  ASSERT_TRUE(seen);
  EXPECT_NE(seen->find("2000"), std::string::npos) << *seen;
}

TEST_F(MappingNamespace, WithRangesThatOverlapIsRefused) {
  Result<UniqueFd> made = make_user_namespace("0 1000 5\n2 2000 5\n", "0 3000 1\n");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().text, "uid_map: ranges overlap, or there are more than 340 of them");
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "its process is still there";
}

TEST(MountedFilesystem, IsTheTypeInTheMountTable) {
  Result<std::string> type = mounted_filesystem("/proc/self/status");
  ASSERT_TRUE(type) << type.error().text;
  EXPECT_EQ(*type, "proc");
  EXPECT_FALSE(mounted_filesystem("/nowhere/at/all"));
}

}  // namespace
}  // namespace ocirt::sys
