#include "src/sys/namespace.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "src/base/text.h"
#include "src/sys/file.h"
#include "src/sys/test_directory.h"

namespace ocirt::sys {
namespace {

using NamespaceFile = TestDirectory;

TEST_F(NamespaceFile, OfTheRightKindIsOpened) {
  struct {
    const char* path;
    uint64_t flag;
  } constexpr kKinds[] = {
      {"/proc/self/ns/cgroup", CLONE_NEWCGROUP}, {"/proc/self/ns/ipc", CLONE_NEWIPC},
      {"/proc/self/ns/mnt", CLONE_NEWNS},        {"/proc/self/ns/net", CLONE_NEWNET},
      {"/proc/self/ns/pid", CLONE_NEWPID},       {"/proc/self/ns/user", CLONE_NEWUSER},
      {"/proc/self/ns/uts", CLONE_NEWUTS},
  };
  for (const auto& kind : kKinds) {
    Result<UniqueFd> fd = open_namespace(kind.path, kind.flag);
    ASSERT_TRUE(fd) << fd.error().text;
    EXPECT_EQ(::fcntl(fd->raw(), F_GETFD), FD_CLOEXEC);
  }
}

TEST_F(NamespaceFile, OfAnotherKindIsRefusedAndBothAreNamed) {
  Result<UniqueFd> fd = open_namespace("/proc/self/ns/net", CLONE_NEWPID);
  ASSERT_FALSE(fd);
  EXPECT_EQ(fd.error().code, EINVAL);
  EXPECT_EQ(fd.error().text, "/proc/self/ns/net is a network namespace, not a pid namespace");
  EXPECT_EQ(open_namespace("/proc/self/ns/uts", CLONE_NEWNS).error().text,
            "/proc/self/ns/uts is a uts namespace, not a mount namespace");
}

TEST_F(NamespaceFile, ThatIsMissingIsSaidInOurOwnWords) {
  Result<UniqueFd> fd = open_namespace(path + "/net", CLONE_NEWNET);
  ASSERT_FALSE(fd);
  EXPECT_EQ(fd.error().code, ENOENT);
  EXPECT_EQ(fd.error().text, cat("there is no namespace at ", path, "/net"));
}

TEST_F(NamespaceFile, ThatIsAnOrdinaryFileIsRefused) {
  put("net", "");
  EXPECT_EQ(open_namespace(path + "/net", CLONE_NEWNET).error().text,
            cat(path, "/net is no namespace"));
  EXPECT_EQ(open_namespace(path, CLONE_NEWNET).error().text, cat(path, " is no namespace"));
}

TEST_F(NamespaceFile, ThatIsAFifoDoesNotMakeUsWait) {
  ASSERT_EQ(::mkfifo((path + "/fifo").c_str(), 0600), 0);
  EXPECT_EQ(open_namespace(path + "/fifo", CLONE_NEWNET).error().text,
            cat(path, "/fifo is no namespace"));
}

TEST_F(NamespaceFile, OfOurOwnIsRecognisedByWhateverPath) {
  EXPECT_TRUE(is_own_namespace("/proc/self/ns/net", CLONE_NEWNET));
  EXPECT_TRUE(is_own_namespace(cat("/proc/", ::getpid(), "/ns/uts"), CLONE_NEWUTS));
  ASSERT_EQ(::symlinkat("/proc/self/ns/mnt", dir.raw(), "link"), 0);
  EXPECT_TRUE(is_own_namespace(path + "/link", CLONE_NEWNS));
  for (auto [name, flag] : {std::pair("ipc", CLONE_NEWIPC),
                            {"pid", CLONE_NEWPID},
                            {"user", CLONE_NEWUSER},
                            {"cgroup", CLONE_NEWCGROUP}}) {
    EXPECT_TRUE(is_own_namespace(cat("/proc/self/ns/", name), static_cast<uint64_t>(flag))) << name;
  }
}

TEST_F(NamespaceFile, OfSomebodyElseIsNotOurOwn) {
  EXPECT_FALSE(is_own_namespace("/proc/self/ns/net", CLONE_NEWUTS));
  EXPECT_FALSE(is_own_namespace(path, CLONE_NEWNET));
  EXPECT_FALSE(is_own_namespace(path + "/none", CLONE_NEWNET));
  if (::geteuid() != 0) GTEST_SKIP() << "needs root: makes a UTS namespace";
  const std::string ours = cat("/proc/", ::getpid(), "/ns/uts");
  pid_t child = ::fork();
  if (child == 0) {
    if (::unshare(CLONE_NEWUTS) < 0) ::_exit(2);
    ::_exit(is_own_namespace(ours, CLONE_NEWUTS) ? 1 : 0);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace ocirt::sys
