#include "src/podfile/quantity.h"

#include <gtest/gtest.h>

namespace ocirt::podfile {
namespace {

TEST(Quantity, UnitsArePowersOfTenAndOfTwo) {
  EXPECT_EQ(*units("64Mi"), 64 << 20);
  EXPECT_EQ(*units("1.5G"), 1'500'000'000);
  EXPECT_EQ(*units("128974848"), 128'974'848);
  EXPECT_EQ(*units("129e6"), 129'000'000);
  EXPECT_EQ(*units("1E"), 1'000'000'000'000'000'000);
  EXPECT_EQ(*units("7Ei"), int64_t{7} << 60);
  EXPECT_EQ(*units("0"), 0);
}

TEST(Quantity, APartOfAUnitIsRoundedUp) {
  EXPECT_EQ(*units("100m"), 1);
  EXPECT_EQ(*units("1.1"), 2);
  EXPECT_EQ(*units("0.5Ki"), 512);
  EXPECT_EQ(*thousandths("0.0001"), 1);
}

TEST(Quantity, ThousandthsAreThoseOfACpu) {
  EXPECT_EQ(*thousandths("500m"), 500);
  EXPECT_EQ(*thousandths("2"), 2000);
  EXPECT_EQ(*thousandths("0.25"), 250);
  EXPECT_EQ(*thousandths("1500000u"), 1500);
}

TEST(Quantity, WhatIsNoQuantityIsRefusedWithExamples) {
  for (const char* text : {"", "Mi", "-1", "64MB", "1.2.3", "1 Gi", ".", "0x10", "1e99", "ten",
                           "1234567890123456789"}) {
    const Result<int64_t> value = units(text);
    ASSERT_FALSE(value) << text;
    EXPECT_NE(value.error().text.find("such as 500m"), std::string::npos) << text;
  }
}

TEST(Quantity, WhatDoesNotFitIsRefused) {
  for (const char* text : {"9Ei", "8Ei", "99E", "999999999999999999Ei"}) {
    ASSERT_FALSE(units(text)) << text;
    EXPECT_NE(units(text).error().text.find("too large"), std::string::npos) << text;
  }
  EXPECT_TRUE(units("9223372036854775807").error().text.contains("such as"));  // too many digits
}

}  // namespace
}  // namespace ocirt::podfile
