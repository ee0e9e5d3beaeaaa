#include "src/linux/capabilities.h"

#include <gtest/gtest.h>
#include <sys/capability.h>

#include <algorithm>

#include "src/base/text.h"
#include "src/sys/clock.h"

namespace ocirt {
namespace {

TEST(Capabilities, NamesAndNumbersAreThoseOfLibcap) {
  ASSERT_EQ(known_capabilities().size(), 41u);
  for (int number = 0; number <= kLastCapability; ++number) {
    std::string name(capability_name(number));
    cap_value_t theirs = -1;
    ASSERT_EQ(cap_from_name(name.c_str(), &theirs), 0) << name;
    EXPECT_EQ(theirs, number) << name;
    EXPECT_EQ(capability_number(name), number);
  }
}

TEST(Capabilities, OnlyTheExactSpellingIsAName) {
  EXPECT_FALSE(capability_number("cap_chown"));
  EXPECT_FALSE(capability_number("CHOWN"));
  EXPECT_FALSE(capability_number("CAP_CHOWN "));
  EXPECT_FALSE(capability_number(""));
  EXPECT_EQ(capability_name(-1), "");
  EXPECT_EQ(capability_name(41), "");
}

TEST(Capabilities, UnknownNamesComeBackOnceAndDoNotDisturbTheMask) {
  std::vector<std::string> names = {"CAP_KILL",   "CAP_FUTURE", "CAP_CHOWN",
                                    "CAP_FUTURE", "x",          "CAP_CHECKPOINT_RESTORE"};
  CapabilityMask set = capability_mask(names);
  EXPECT_EQ(set.mask, 1ull << 5 | 1ull << 0 | 1ull << 40);
  EXPECT_EQ(set.unknown, (std::vector<std::string>{"CAP_FUTURE", "x"}));
  EXPECT_EQ(capability_mask({}), CapabilityMask{});
  names.assign(100'000, "");
  for (size_t i = 0; i < names.size(); ++i) names[i] = cat("CAP_", i / 2);
  const int64_t begin = sys::monotonic_ms();
  EXPECT_EQ(capability_mask(names).unknown.size(), 50'000u);
  EXPECT_LT(sys::monotonic_ms() - begin, 3000);
}

}  // namespace
}  // namespace ocirt
