#include "src/podcli/log_lines.h"

#include <gtest/gtest.h>

#include "src/podcli/age.h"
#include "src/podcli/json.h"

namespace ocirt::podcli {
namespace {

TEST(LogLines, HaveTimeStreamTagAndText) {
  const auto line = parse_log_line("2026-01-02T03:04:05.000000006Z stderr P a  b");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->stream, "stderr");
  EXPECT_TRUE(line->partial);
  EXPECT_EQ(line->text, "a  b");
  EXPECT_TRUE(parse_log_line("t stdout F "));
  for (const char* bad : {"", "t", "t stdout", "t stdout F", "t other F x", "t stdout Q x"}) {
    EXPECT_FALSE(parse_log_line(bad)) << bad;
  }
}

TEST(LogLines, PartsAreJoined) {
  std::string out;
  LogPrinter printer({.timestamps = true, .prefix = "[c] "});
  printer.add({.time = "t1", .stream = "stdout", .partial = true, .text = "ab"}, out);
  printer.add({.time = "t2", .stream = "stdout", .text = "c"}, out);
  printer.add({.time = "t3", .stream = "stdout", .text = "d"}, out);
  EXPECT_EQ(out, "t1 [c] abc\nt3 [c] d\n");
}

TEST(LogLines, TheTailCountsWholeLines) {
  const std::string text = "t stdout F one\nt stdout P tw\nt stdout F o\nt stdout F three\n";
  EXPECT_EQ(text.substr(offset_of_tail(text, 1)), "t stdout F three\n");
  EXPECT_EQ(text.substr(offset_of_tail(text, 2)),
            "t stdout P tw\nt stdout F o\nt stdout F three\n");
  EXPECT_EQ(offset_of_tail(text, 3), 0U);
  EXPECT_EQ(offset_of_tail(text, 100), 0U);
  EXPECT_EQ(offset_of_tail(text, 0), text.size());
  EXPECT_EQ(offset_of_tail("", 5), 0U);
}

TEST(Age, IsOfOneUnit) {
  EXPECT_EQ(seconds_of("1970-01-02T00:00:01.5Z"), 86'401);
  EXPECT_EQ(seconds_of("2026-13-02T00:00:01Z"), std::nullopt);
  EXPECT_EQ(seconds_of("yesterday"), std::nullopt);
  EXPECT_EQ(duration_text(119), "119s");
  EXPECT_EQ(duration_text(120), "2m");
  EXPECT_EQ(duration_text(7200), "2h");
  EXPECT_EQ(duration_text(3 * 86'400), "3d");
  EXPECT_EQ(duration_text(-5), "0s");
  EXPECT_EQ(age_of(""), "-");
}

TEST(Json, IsIndentedAndKeepsNumbersAsTheyAre) {
  EXPECT_EQ(pretty_json("{\"a\":[18446744073709551615,1.50],\"b\":true}"),
            "{\n  \"a\": [\n    18446744073709551615,\n    1.50\n  ],\n  \"b\": true\n}\n");
  EXPECT_EQ(pretty_json("no json"), "no json");
  EXPECT_EQ(json_text("a\"b\n"), "\"a\\\"b\\n\"");
}

}  // namespace
}  // namespace ocirt::podcli
