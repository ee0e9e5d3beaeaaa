#include "src/sys/clock.h"

#include <gtest/gtest.h>

namespace ocirt::sys {
namespace {

int64_t in_ns(const timespec& time) { return time.tv_sec * int64_t{1000000000} + time.tv_nsec; }

TEST(Clock, IsThatOfTheCLibrary) {
  for (clockid_t clock : {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME}) {
    timespec before{}, after{};
    ::clock_gettime(clock, &before);
    const timespec now = clock_now(clock);
    ::clock_gettime(clock, &after);
    EXPECT_LE(in_ns(before), in_ns(now)) << clock;
    EXPECT_LE(in_ns(now), in_ns(after)) << clock;
  }
}

TEST(Clock, MillisecondsAreThoseOfTheMonotonicOne) {
  const int64_t before = in_ns(clock_now(CLOCK_MONOTONIC)) / 1000000;
  const int64_t now = monotonic_ms();
  EXPECT_LE(before, now);
  EXPECT_LE(now, in_ns(clock_now(CLOCK_MONOTONIC)) / 1000000);
}

}  // namespace
}  // namespace ocirt::sys
