#include "src/linux/rlimits.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace ocirt {
namespace {

TEST(Rlimits, NamesMeanTheKernelsNumbers) {
  EXPECT_EQ(*rlimit_number("RLIMIT_NOFILE"), RLIMIT_NOFILE);
  EXPECT_EQ(*rlimit_number("RLIMIT_CORE"), 4);
  EXPECT_EQ(*rlimit_number("RLIMIT_RTTIME"), 15);
}

TEST(Rlimits, AnUnknownNameIsAnErrorThatListsTheKnownOnes) {
  for (auto name : {"NOFILE", "rlimit_nofile", "RLIMIT_", ""}) {
    auto number = rlimit_number(name);
    ASSERT_FALSE(number) << name;
    EXPECT_NE(number.error().text.find("RLIMIT_AS, RLIMIT_CORE, "), std::string::npos);
  }
}

}  // namespace
}  // namespace ocirt
