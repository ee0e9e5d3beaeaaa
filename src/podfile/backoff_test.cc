#include "src/podfile/backoff.h"

#include <gtest/gtest.h>

namespace ocirt::podfile {
namespace {

TEST(RestartBackoff, IsTwoWaitsWithTheirUnits) {
  const auto waits = read_waits("500ms 5m");
  ASSERT_TRUE(waits);
  EXPECT_EQ(waits->first_ms, 500u);
  EXPECT_EQ(waits->longest_ms, 300'000u);
  EXPECT_TRUE(read_waits("1s 1s"));
}

TEST(RestartBackoff, IsNothingElse) {
  for (const char* text : {"", "1s", "1s 1", "1 1s", "0s 1s", "2s 1s", "1s  2s", "1h 2h", "-1s 2s",
                           "1s 80000m", "s s"})
    EXPECT_FALSE(read_waits(text)) << text;
}

}  // namespace
}  // namespace ocirt::podfile
