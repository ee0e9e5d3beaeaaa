#include "src/container/timestamp.h"

#include <gtest/gtest.h>

namespace ocirt::container {
namespace {

TEST(Timestamp, IsRfc3339InUtcWithNanoseconds) {
  EXPECT_EQ(rfc3339({0, 0}), "1970-01-01T00:00:00.000000000Z");
  EXPECT_EQ(rfc3339({1709251199, 1}), "2024-02-29T23:59:59.000000001Z");
  EXPECT_EQ(rfc3339({253402300799, 999999999}), "9999-12-31T23:59:59.999999999Z");
}

TEST(Timestamp, OfNowLiesBetweenTwoLooksAtTheClock) {
  timespec before{}, after{};
  clock_gettime(CLOCK_REALTIME, &before);
  std::string now = rfc3339_now();
  clock_gettime(CLOCK_REALTIME, &after);
  EXPECT_LE(rfc3339(before), now);
  EXPECT_LE(now, rfc3339(after));
}

}  // namespace
}  // namespace ocirt::container
