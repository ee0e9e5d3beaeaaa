#include "src/sys/kernel.h"

#include <gtest/gtest.h>
#include <sys/utsname.h>

#include <cstdio>
#include <fstream>
#include <string>

namespace ocirt::sys {
namespace {

TEST(Kernel, HasTheVersionThatUnameSays) {
  utsname name{};
  ASSERT_EQ(::uname(&name), 0);
  unsigned major = 0, minor = 0;
  ASSERT_EQ(std::sscanf(name.release, "%u.%u", &major, &minor), 2);
  EXPECT_EQ(kernel_version() >> 8, major << 8 | minor);
}

TEST(Kernel, CountsThreads) {
  EXPECT_GT(count_threads(), 1u);
  EXPECT_LT(count_threads(), 1u << 22);  // the most that there can be (pid_max)
}

TEST(Kernel, KnowsWhetherThereAreManyMounts) {
  EXPECT_TRUE(has_more_mounts_than(0));
  if (kernel_version() < 0x060800) GTEST_SKIP() << "listmount(2) is of Linux 6.8";
  bool right = false;
  for (int i = 0; i < 20 && !right; ++i) {  // others mount and unmount meanwhile
    std::ifstream table("/proc/self/mountinfo");
    size_t lines = 0;
    for (std::string line; std::getline(table, line);) ++lines;
    if (lines > 255) GTEST_SKIP() << "more mounts than are counted";
    right = has_more_mounts_than(lines - 1) && !has_more_mounts_than(lines);
  }
  EXPECT_TRUE(right);
}

}  // namespace
}  // namespace ocirt::sys
