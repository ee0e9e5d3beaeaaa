// What a container's mount namespace costs: of the host's mounts none is copied where the kernel
// can do without (Linux 7.0, open_tree(2) with OPEN_TREE_NAMESPACE). The kernel numbers every mount
// that it makes, so they can be counted.
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
    for (int i = 0; i < kMany; ++i) bind(std::to_string(i));
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

  static constexpr int kMany = 1000;

 private:
  std::string bind(const std::string& name) {
    std::string place = top_ + "/" + name;
    make_directories(place);
    EXPECT_EQ(mount(place.c_str(), place.c_str(), nullptr, MS_BIND, nullptr), 0);
    return place;
  }
  const std::string top_;
};

TEST_F(MountsOfTheHost, AreNotCopiedForAContainer) {
  if (!kernel_is_at_least(7, 0)) GTEST_SKIP() << "needs Linux 7.0";
  make_directories(scratch() + "/source");
  write_file(scratch() + "/source/file", "of the host");
  bundle.mount("/source", "bind", scratch() + "/source", {"rbind"}).shell("cat /source/file");
  Container container(runtime, bundle);
  const uint64_t before = next_mount("before");
  const Outcome outcome = container.run();
  const uint64_t after = next_mount("after");
  EXPECT_OK(outcome);
  EXPECT_SAYS(outcome.out, "of the host");
  EXPECT_LT(after - before, kMany / 2);
}

TEST_F(MountsOfTheHost, AreCopiedForHooksThatLookForThem) {
  if (!kernel_is_at_least(7, 0)) GTEST_SKIP() << "needs Linux 7.0";
  bundle.append("hooks.createContainer",
                R"({"path":"/bin/sh","args":["sh","-c","test -e )" + scratch() + R"("]})");
  bundle.shell("true");
  Container container(runtime, bundle);
  const uint64_t before = next_mount("before");
  EXPECT_OK(container.run());
  EXPECT_GT(next_mount("after") - before, static_cast<uint64_t>(kMany));
}

}  // namespace
}  // namespace harness
