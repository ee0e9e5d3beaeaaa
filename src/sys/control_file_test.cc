#include "src/sys/control_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

#include "src/base/text.h"
#include "src/sys/clock.h"
#include "src/sys/test_directory.h"

namespace ocirt::sys {
namespace {

using testing::IsEmpty;
using testing::UnorderedElementsAre;
using ControlFile = TestDirectory;

TEST_F(ControlFile, IsReadInOneCall) {
  put("f", "one\ntwo\n");
  EXPECT_EQ(*read_control(dir, "f"), "one\ntwo\n");
  put("f", "");
  EXPECT_EQ(*read_control(dir, "f"), "");
}

TEST_F(ControlFile, ThatCannotBeReadIsNamed) {
  Result<std::string> text = read_control(dir, "memory.max");
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, ENOENT);
  EXPECT_EQ(text.error().text, "open memory.max: No such file or directory");
  EXPECT_EQ(reread_control(dir, "memory.max").error().text, "read memory.max: Is a directory");
}

TEST_F(ControlFile, ThatMayBeCutOffIsAnErrorInstead) {
  put("f", std::string(4095, 'x'));
  EXPECT_EQ(read_control(dir, "f")->size(), 4095u);
  put("f", std::string(4096, 'x'));
  Result<std::string> text = read_control(dir, "f");
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, EFBIG);
  EXPECT_EQ(text.error().text, "read f: larger than 4095 bytes");
}

TEST_F(ControlFile, IsReadAgainFromItsBeginning) {
  put("f", "frozen 0\n");
  UniqueFd fd = *open(dir, "f", O_RDONLY);
  EXPECT_EQ(*reread_control(fd, "f"), "frozen 0\n");
  put("f", "frozen 1\n");
  EXPECT_EQ(*reread_control(fd, "f"), "frozen 1\n");
}

// A terminal in packet mode reports a flush by POLLPRI, as cgroup.events does a change: no cgroup
// and no root are needed for this.
class Terminal {
 public:
  Terminal() : master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    int on = 1;
    EXPECT_EQ(::ioctl(master.raw(), TIOCPKT, &on), 0);
    EXPECT_EQ(::unlockpt(master.raw()), 0);
    slave = UniqueFd(::open(::ptsname(master.raw()), O_RDWR | O_NOCTTY | O_CLOEXEC));
    EXPECT_TRUE(slave.valid());
  }
  UniqueFd master, slave;
};

TEST_F(ControlFile, WithoutAChangeIsWaitedForUntilTheTimeIsOver) {
  Terminal terminal;
  ASSERT_EQ(::write(terminal.slave.raw(), "x", 1), 1);  // content alone is no change
  const int64_t begin = monotonic_ms();
  EXPECT_FALSE(*wait_for_change(terminal.master, 60));
  EXPECT_GE(monotonic_ms() - begin, 59);
}

TEST_F(ControlFile, WithAChangeEndsTheWaiting) {
  Terminal terminal;
  ASSERT_EQ(::tcflush(terminal.slave.raw(), TCIOFLUSH), 0);
  EXPECT_TRUE(*wait_for_change(terminal.master, 10000));
}

TEST_F(ControlFile, SubdirectoriesAreListedWithoutFiles) {
  EXPECT_THAT(*list_subdirectories(kCwd, path), IsEmpty());
  put("f", "");
  EXPECT_THAT(*list_subdirectories(dir, "."), IsEmpty());
  ASSERT_TRUE(mkdir_parents(path + "/a/below", 0700));
  ASSERT_TRUE(mkdir(dir, "b", 0700));
  ASSERT_EQ(::symlinkat("a", dir.raw(), "link"), 0);
  EXPECT_THAT(*list_subdirectories(dir, "."), UnorderedElementsAre("a", "b"));
  EXPECT_THAT(*list_subdirectories(dir, "b"), IsEmpty());
}

TEST_F(ControlFile, SubdirectoriesOfADirectoryThatIsGoneAreEnoent) {
  Result<std::vector<std::string>> names = list_subdirectories(dir, "gone");
  ASSERT_FALSE(names);
  EXPECT_EQ(names.error().code, ENOENT);
  EXPECT_EQ(names.error().text, "stat gone: No such file or directory");
}

TEST(Clock, GoesOnWhileWePause) {
  const int64_t begin = monotonic_ms();
  pause_ms(30);
  const int64_t took = monotonic_ms() - begin;
  EXPECT_GE(took, 29);
  EXPECT_LT(took, 10000);
}

// What a child in a new user namespace with this map says; -1 when there can be none.
int in_new_user_namespace(const char* map) {
  int made[2], mapped[2];
  EXPECT_EQ(::pipe(made) + ::pipe(mapped), 0);
  char byte = 0;
  pid_t child = ::fork();
  if (child == 0) {
    byte = ::unshare(CLONE_NEWUSER) == 0 ? 'y' : 'n';
    if (::write(made[1], &byte, 1) != 1 || ::read(mapped[0], &byte, 1) != 1) ::_exit(100);
    ::_exit(in_user_namespace() ? 1 : 0);
  }
  bool possible = ::read(made[0], &byte, 1) == 1 && byte == 'y';
  if (possible && map != nullptr) {
    possible = write_control(kCwd, cat("/proc/", child, "/uid_map"), map).has_value();
  }
  EXPECT_EQ(::write(mapped[1], "x", 1), 1);
  int status = 0;
  ::waitpid(child, &status, 0);
  for (int fd : {made[0], made[1], mapped[0], mapped[1]}) ::close(fd);
  return possible ? WEXITSTATUS(status) : -1;
}

TEST(UserNamespace, WithAMapOfItsOwnIsNoticed) {
  int noticed = in_new_user_namespace(cat("0 ", ::geteuid(), " 1").c_str());
  if (noticed < 0) GTEST_SKIP() << "user namespaces cannot be made here";
  EXPECT_EQ(noticed, 1);
}

TEST(UserNamespace, WithoutAMapIsNoticed) {
  int noticed = in_new_user_namespace(nullptr);
  if (noticed < 0) GTEST_SKIP() << "user namespaces cannot be made here";
  EXPECT_EQ(noticed, 1);
}

TEST(UserNamespace, ThatMapsEverythingCountsAsTheHosts) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root: only root may map every id";
  if (in_user_namespace()) GTEST_SKIP() << "the tests run in a user namespace themselves";
  int noticed = in_new_user_namespace("0 0 4294967295");
  if (noticed < 0) GTEST_SKIP() << "user namespaces cannot be made here";
  EXPECT_EQ(noticed, 0);
}

}  // namespace
}  // namespace ocirt::sys
