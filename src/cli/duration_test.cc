#include "src/cli/duration.h"

#include <gtest/gtest.h>

namespace ocirt::cli {
namespace {

TEST(Duration, IsReadAsGoWritesIt) {
  struct {
    const char* text;
    int64_t ms;
  } const cases[] = {{"5s", 5000},     {"1.5h", 5400000},  {"2h45m", 9900000}, {"300ms", 300},
                     {"1m30s", 90000}, {"+1s", 1000},      {".5s", 500},       {"1.s", 1000},
                     {"1us", 1},       {"1500us", 2},      {"1ns", 1},         {"1\u00b5s", 1},
                     {"1\u03bcs", 1},  {"1h0m0s", 3600000}};
  for (const auto& one : cases) EXPECT_EQ(parse_duration(one.text), one.ms) << one.text;
}

TEST(Duration, IsSecondsWithoutAUnit) {
  EXPECT_EQ(parse_duration("5"), 5000);
  EXPECT_EQ(parse_duration("60"), 60000);
}

TEST(Duration, ThatIsNoneIsRefused) {
  for (const char* text : {"", "0", "0s", "-1s", "-5", "s", "5x", "5 s", "1s5", ".s", "+", "--1s",
                           "99999999999999h", "9223372036854775807", "1.2.3s"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

}  // namespace
}  // namespace ocirt::cli
