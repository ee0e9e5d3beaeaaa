#include "src/base/result.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace ocirt {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return refuse("odd");
  return number / 2;
}

Result<int> quarter(int number) {
  int halved = TRY(half(number));
  return TRY(half(halved));
}

Result<> only_even(int number, int& reached) {
  TRY(half(number));
  ++reached;
  return {};
}

TEST(Result, HasTheWordsOfGlibcForEveryNumberOfTheKernels) {
  int known = 0;
  for (int code = 1; code < 200; ++code) {
    const char* words = ::strerrordesc_np(code);
    EXPECT_EQ(errno_text(code), words != nullptr ? words : "unknown error") << code;
    known += words != nullptr ? 1 : 0;
  }
  EXPECT_GT(known, 130);
}

TEST(Result, OfOurOwnRefusalHasCodeZero) {
  Result<> refused = refuse("no");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, 0);
  EXPECT_EQ(refused.error().text, "no");
}

TEST(Result, OfTheKernelsRefusalHasItsCodeAndItsSentence) {
  Result<> refused = os_error("open /x", EACCES);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, EACCES);
  EXPECT_EQ(refused.error().text, "open /x: Permission denied");
}

TEST(Result, ErrnoTextIsAlwaysASentence) {
  EXPECT_EQ(errno_text(EPERM), "Operation not permitted");
  EXPECT_EQ(errno_text(ENOENT), "No such file or directory");
  EXPECT_EQ(errno_text(99999), "unknown error");
  EXPECT_EQ(errno_text(-1), "unknown error");
}

TEST(Result, WithinPutsThePlaceInFrontAndKeepsTheCode) {
  Result<int> refused = within("outer", within("inner", Result<int>(os_error("step", EBUSY))));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().text, "outer: inner: step: Device or resource busy");
  EXPECT_EQ(refused.error().code, EBUSY);
}

TEST(Result, WithinLeavesASuccessAlone) {
  EXPECT_EQ(*within("place", Result<int>(3)), 3);
  EXPECT_TRUE(within("place", Result<>()));
}

TEST(Result, TryGivesTheValueOrReturnsTheError) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(6).error().text, "odd");
  EXPECT_EQ(quarter(7).error().text, "odd");
}

TEST(Result, TryOfNothingGoesOnOnlyAfterSuccess) {
  int reached = 0;
  EXPECT_FALSE(only_even(1, reached));
  EXPECT_EQ(reached, 0);
  EXPECT_TRUE(only_even(2, reached));
  EXPECT_EQ(reached, 1);
}

TEST(Result, TryMovesAValueThatCannotBeCopied) {
  auto make = []() -> Result<std::unique_ptr<int>> { return std::make_unique<int>(7); };
  auto use = [&]() -> Result<int> {
    std::unique_ptr<int> owned = TRY(make());
    return *owned;
  };
  EXPECT_EQ(*use(), 7);
}

}  // namespace
}  // namespace ocirt
