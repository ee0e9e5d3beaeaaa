#include "src/base/names.h"

#include <gtest/gtest.h>

namespace ocirt {
namespace {

constexpr Name<int> kTable[] = {{"alpha", 1}, {"beta", 2}, {"betas", 3}, {"gamma", 4}};

TEST(Names, EveryRowIsFound) {
  for (const Name<int>& row : kTable)
    EXPECT_EQ(find(kTable, row.name), row.value) << row.name.text();
}

TEST(Names, WhatIsNotInTheTableIsNotFound) {
  for (const char* name : {"", "a", "alph", "alphaa", "bet", "betb", "Gamma", "zeta"}) {
    EXPECT_EQ(find(kTable, name), std::nullopt) << name;
  }
}

TEST(Names, TableOfOneRowIsSearchedToo) {
  constexpr Name<char> kOne[] = {{"one", '1'}};
  EXPECT_EQ(find(kOne, "one"), '1');
  EXPECT_EQ(find(kOne, "on"), std::nullopt);
  EXPECT_EQ(find(kOne, "two"), std::nullopt);
}

TEST(Names, AWordIsTheTextThatItWasMadeOfUpTo23Bytes) {
  constexpr Word kShort = "", kLong = "CAP_CHECKPOINT_RESTORE_";
  EXPECT_EQ(kShort.text(), "");
  EXPECT_EQ(kLong.text(), "CAP_CHECKPOINT_RESTORE_");
  static_assert(sizeof(Word) == 24);
}

TEST(Names, SortedMeansStrictlyAscending) {
  EXPECT_TRUE(sorted(kTable));
  constexpr Name<int> kSwapped[] = {{"b", 1}, {"a", 2}};
  constexpr Name<int> kTwice[] = {{"a", 1}, {"a", 2}};
  EXPECT_FALSE(sorted(kSwapped));
  EXPECT_FALSE(sorted(kTwice));
}

}  // namespace
}  // namespace ocirt
