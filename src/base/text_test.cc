#include "src/base/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <climits>

namespace ocirt {
namespace {

using testing::ElementsAre;

TEST(Text, CatJoinsStringsCharactersAndIntegers) {
  EXPECT_EQ(cat(), "");
  EXPECT_EQ(cat("a", std::string("b"), std::string_view("c"), 'd', 5, -6L, uint8_t{7}), "abcd5-67");
  EXPECT_EQ(cat(INT64_MIN, ' ', UINT64_MAX), "-9223372036854775808 18446744073709551615");
}

TEST(Text, CatKeepsNulBytesOfAView) { EXPECT_EQ(cat(std::string_view("a\0b", 3), "c").size(), 4u); }

TEST(Quoted, EscapesWhatWouldBreakALine) {
  EXPECT_EQ(quoted(""), "\"\"");
  EXPECT_EQ(quoted("plain text"), "\"plain text\"");
  EXPECT_EQ(quoted("a\"b\\c\nd"), "\"a\\\"b\\\\c\\nd\"");
  EXPECT_EQ(quoted(std::string_view("\0\x1b\x7f\t", 4)), "\"\\x00\\x1b\\x7f\\x09\"");
}

TEST(Quoted, LeavesBytesBeyondAsciiAlone) { EXPECT_EQ(quoted("\xc3\xa4"), "\"\xc3\xa4\""); }

TEST(Quoted, ShowsTwoHundredBytesAndMarksTheCut) {
  EXPECT_EQ(quoted(std::string_view(std::string(200, 'x'))), "\"" + std::string(200, 'x') + "\"");
  EXPECT_EQ(quoted(std::string_view(std::string(201, 'x'))),
            "\"" + std::string(200, 'x') + "...\"");
}

TEST(ToNumber, TakesTheWholeTextOrNothing) {
  EXPECT_EQ(to_number<int>("42"), 42);
  EXPECT_EQ(to_number<int>("-42"), -42);
  EXPECT_EQ(to_number<unsigned>("755", 8), 0755u);
  for (const char* text : {"", " 1", "1 ", "+1", "1x", "0x10", "1.5", "-"}) {
    EXPECT_EQ(to_number<int>(text), std::nullopt) << text;
  }
}

TEST(ToNumber, RefusesWhatDoesNotFit) {
  EXPECT_EQ(to_number<uint8_t>("255"), 255);
  EXPECT_EQ(to_number<uint8_t>("256"), std::nullopt);
  EXPECT_EQ(to_number<uint32_t>("-1"), std::nullopt);
  EXPECT_EQ(to_number<int64_t>("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(to_number<int64_t>("9223372036854775808"), std::nullopt);
}

TEST(Split, GivesOnePieceMoreThanThereAreSeparators) {
  EXPECT_THAT(split("a,b,c", ','), ElementsAre("a", "b", "c"));
  EXPECT_THAT(split(",a,,", ','), ElementsAre("", "a", "", ""));
  EXPECT_THAT(split("", ','), ElementsAre(""));
  EXPECT_THAT(split("a b", ','), ElementsAre("a b"));
}

TEST(NextLine, TakesLinesOffTheFrontUntilNothingIsLeft) {
  std::string_view rest = "one\n\ntwo\n";
  EXPECT_EQ(next_line(rest), "one");
  EXPECT_EQ(next_line(rest), "");
  EXPECT_EQ(next_line(rest), "two");
  EXPECT_EQ(next_line(rest), std::nullopt);
}

TEST(NextLine, LastLineNeedsNoNewline) {
  std::string_view rest = "one\ntwo";
  EXPECT_EQ(next_line(rest), "one");
  EXPECT_EQ(next_line(rest), "two");
  EXPECT_EQ(next_line(rest), std::nullopt);
}

TEST(Trim, RemovesBlanksAtBothEndsOnly) {
  EXPECT_EQ(trim(" \t\r\n a b\n"), "a b");
  EXPECT_EQ(trim("a"), "a");
  EXPECT_EQ(trim(" \n "), "");
  EXPECT_EQ(trim(""), "");
}

TEST(CleanPath, IsAbsoluteAndWithoutDetours) {
  EXPECT_EQ(clean_path("a//b/../c"), "/a/c");
  EXPECT_EQ(clean_path("/a/./b/"), "/a/b");
  EXPECT_EQ(clean_path("/dev/"), "/dev");
  EXPECT_EQ(clean_path("/a/...b"), "/a/...b");
  EXPECT_EQ(clean_path(""), "/");
  EXPECT_EQ(clean_path("/"), "/");
}

TEST(CleanPath, CannotLeaveTheTop) {
  EXPECT_EQ(clean_path("/../../etc"), "/etc");
  EXPECT_EQ(clean_path("a/../../.."), "/");
}

}  // namespace
}  // namespace ocirt
