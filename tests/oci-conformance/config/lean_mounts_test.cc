// What a container's mount namespace costs: of the host's mounts none is copied where it can be
// made without, since Linux 7.0 by open_tree(2) with OPEN_TREE_NAMESPACE, before by way of the
// namespace of the kernel's thread kdevtmpfs. The kernel numbers every mount that it makes, so they
// can be counted.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "tests/support/fixture.h"
#include "tests/support/workspace.h"

namespace harness {
namespace {

#ifndef STATX_MNT_ID_UNIQUE
constexpr unsigned STATX_MNT_ID_UNIQUE = 0x4000;
#endif

class MountsOfTheHost : public ContainerTest {
 protected:
  MountsOfTheHost() : top_(scratch() + "/many") {
    make_directories(top_);
    mount("many", top_.c_str(), "tmpfs", 0, nullptr);
    for (uint64_t i = 0; i < kMany; ++i) bind(std::to_string(i));
  }
  ~MountsOfTheHost() override { umount2(top_.c_str(), MNT_DETACH); }

  // The number of a mount that is made now.
  uint64_t next_mount(const std::string& name) {
    const std::string place = bind(name);
    struct statx info{};
    EXPECT_EQ(statx(AT_FDCWD, place.c_str(), 0, STATX_MNT_ID_UNIQUE, &info), 0);
    umount2(place.c_str(), MNT_DETACH);
    return info.stx_mnt_id;
  }

  // How many mounts the kernel makes for a container that says this.
  uint64_t made_by_run(std::string_view says) {
    Container container(runtime, bundle);
    const uint64_t before = next_mount("before");
    const Outcome outcome = container.run();
    const uint64_t after = next_mount("after");
    EXPECT_OK(outcome);
    EXPECT_SAYS(outcome.out, says);
    return after - before;
  }
  std::string made_and_said() {
    Container container(runtime, bundle);
    const Outcome outcome = container.run();
    EXPECT_OK(outcome);
    return outcome.out;
  }
  void SetUp() override {
    ContainerTest::SetUp();
    if (!kernel_is_at_least(6, 8)) GTEST_SKIP() << "the kernel tells no numbers of mounts";
    if (!kernel_is_at_least(7, 0) && !has_devtmpfs_thread())
      GTEST_SKIP() << "this machine has no devtmpfs, and no Linux 7.0";
  }

  static constexpr uint64_t kMany = 1000;

 private:
  static bool has_devtmpfs_thread() {
    for (const std::string& name : names_in("/proc")) {
      const std::string comm = "/proc/" + name + "/comm";
      if (exists(comm) && read_file(comm) == "kdevtmpfs\n") return true;
    }
    return false;
  }
  std::string bind(const std::string& name) {
    std::string place = top_ + "/" + name;
    make_directories(place);
    EXPECT_EQ(mount(place.c_str(), place.c_str(), nullptr, MS_BIND, nullptr), 0);
    return place;
  }
  const std::string top_;
};

TEST_F(MountsOfTheHost, AreNotCopiedForAContainer) {
  make_directories(scratch() + "/source");
  write_file(scratch() + "/source/file", "of the host");
  bundle.mount("/source", "bind", scratch() + "/source", {"rbind"}).shell("cat /source/file");
  EXPECT_LT(made_by_run("of the host"), kMany / 2);
}

TEST_F(MountsOfTheHost, AreCopiedForWhoCouldLookAtWhatIsBelowTheRoot) {
  if (kernel_is_at_least(7, 0)) GTEST_SKIP() << "nothing is, since Linux 7.0";
  bundle.set("process.capabilities.bounding", R"(["CAP_SYS_ADMIN"])").shell("echo seen");
  EXPECT_GT(made_by_run("seen"), kMany);
}

// Whoever goes up comes to the root again, and the table begins with it.
TEST_F(MountsOfTheHost, AreNotAboveTheRoot) {
  bundle.file("/marker", "of the container\n");
  bundle.shell(
      "cat /../marker; head -n 1 /proc/self/mountinfo | cut -d ' ' -f 5; "
      "cut -d ' ' -f 5 /proc/self/mountinfo | sort | uniq -d");
  const std::string seen = made_and_said();
  EXPECT_EQ("of the container\n/\n", seen);
}

// The order of the table is that in which they were made (Linux 6.8).
TEST_F(MountsOfTheHost, AreNotAskedForBeforeTheirTurn) {
  for (const char* name : {"first", "second", "third", "fourth"}) {
    make_directories(scratch() + "/" + name);
    if (name == std::string("third")) bundle.mount("/between", "tmpfs", "tmpfs", {});
    bundle.mount(std::string("/") + name, "bind", scratch() + "/" + name, {"bind"});
  }
  bundle.shell(
      "cut -d ' ' -f 5 /proc/self/mountinfo | grep -E '(first|second|between|third|fourth)$'");
  EXPECT_EQ("/first\n/second\n/between\n/third\n/fourth\n", made_and_said());
}

TEST_F(MountsOfTheHost, AreCopiedForHooksThatLookForThem) {
  bundle.append("hooks.createContainer",
                R"({"path":"/bin/sh","args":["sh","-c","test -e )" + scratch() + R"("]})");
  bundle.shell("echo seen");
  EXPECT_GT(made_by_run("seen"), kMany);
}

}  // namespace
}  // namespace harness
