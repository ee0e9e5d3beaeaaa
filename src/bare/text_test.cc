#include "src/bare/text.h"

#include <gtest/gtest.h>

#include <climits>

namespace ocirt::bare {
namespace {

TEST(Buffer, IsEmptyAtFirst) {
  Buffer<8> text;
  EXPECT_EQ(text.view(), "");
  EXPECT_STREQ(text.c_str(), "");
  EXPECT_FALSE(text.cut());
}

TEST(Buffer, JoinsTextsAndNumbers) {
  Buffer<64> text;
  text << "a" << std::string_view("b") << 0 << -12 << uint32_t{34} << uint64_t{56};
  EXPECT_EQ(text.view(), "ab0-123456");
  EXPECT_STREQ(text.c_str(), "ab0-123456");
}

TEST(Buffer, WritesTheEndsOfTheNumberRange) {
  Buffer<64> text;
  text << int64_t{INT64_MIN} << " " << uint64_t{UINT64_MAX} << " " << INT_MIN;
  EXPECT_EQ(text.view(), "-9223372036854775808 18446744073709551615 -2147483648");
}

TEST(Buffer, WritesOctalAsPermissionsAreWritten) {
  Buffer<64> text;
  text.octal(0755) << " ";
  text.octal(04711) << " ";
  text.octal(UINT32_MAX);
  EXPECT_EQ(text.view(), "0755 04711 037777777777");
}

TEST(Buffer, CutsOffWhatDoesNotFitAndSaysSo) {
  Buffer<8> text;
  text << "1234567";
  EXPECT_FALSE(text.cut());
  text << "8";
  EXPECT_TRUE(text.cut());
  EXPECT_EQ(text.view(), "1234567");
  EXPECT_EQ(text.c_str()[7], '\0');
}

TEST(Buffer, KeepsThePartThatFits) {
  Buffer<8> text;
  text << "12345" << "6789" << "x";
  EXPECT_EQ(text.view(), "1234567");
  EXPECT_TRUE(text.cut());
}

TEST(Buffer, CanBeUsedAgain) {
  Buffer<8> text;
  text << "123456789";
  text.clear();
  EXPECT_EQ(text.view(), "");
  EXPECT_STREQ(text.c_str(), "");
  EXPECT_FALSE(text.cut());
  text << "ab";
  EXPECT_EQ(text.view(), "ab");
}

}  // namespace
}  // namespace ocirt::bare
