#include "src/linux/rlimits.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace ocirt {
namespace {

TEST(Rlimits, EveryResourceOfTheKernelHasExactlyOneName) {
  EXPECT_EQ(known_rlimits().size(), 16u);
  for (int number = 0; number < 16; ++number) {
    auto name = rlimit_name(number);
    ASSERT_FALSE(name.empty()) << number;
    auto back = rlimit_number(name);
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, number);
  }
  EXPECT_EQ(rlimit_name(16), "");
}

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
