#include "src/sys/kernel.h"

#include <gtest/gtest.h>
#include <sys/utsname.h>

#include <cstdio>

namespace ocirt::sys {
namespace {

TEST(Kernel, HasTheVersionThatUnameSays) {
  utsname name{};
  ASSERT_EQ(::uname(&name), 0);
  unsigned major = 0, minor = 0;
  ASSERT_EQ(std::sscanf(name.release, "%u.%u", &major, &minor), 2);
  EXPECT_EQ(kernel_version() >> 8, major << 8 | minor);
}

}  // namespace
}  // namespace ocirt::sys
