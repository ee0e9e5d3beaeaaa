#include "src/linux/cgroup/hold.h"

#include <gtest/gtest.h>

#include "src/base/text.h"
#include "src/sys/test_directory.h"

namespace ocirt::cgroup {
namespace {

// What the kernel makes of it is counted in tests/soak/.
class HoldTest : public sys::TestDirectory {};

TEST_F(HoldTest, DirectoriesThatAreThereStayOpenWhenTheyAreRemoved) {
  ASSERT_TRUE(sys::mkdir(dir, "a", 0700));
  ASSERT_TRUE(sys::mkdir(dir, "b", 0700));
  Location location;
  for (const char* name : {"a", "absent", "b"})
    location.directories.push_back({"memory", cat(path, "/", name)});
  const std::vector<UniqueFd> held = hold(location);
  ASSERT_EQ(held.size(), 2u);
  ASSERT_TRUE(remove(location));
  EXPECT_TRUE(sys::is_absent(dir, "a"));
  EXPECT_TRUE(sys::is_absent(dir, "b"));
  for (const UniqueFd& fd : held) EXPECT_TRUE(sys::is_directory(fd, "."));
}

}  // namespace
}  // namespace ocirt::cgroup
