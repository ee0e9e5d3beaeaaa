#include "src/base/repeats.h"

#include <gtest/gtest.h>

namespace ocirt {
namespace {

TEST(Repeats, AreMarkedButForTheFirstOrTheLast) {
  const std::vector<std::string_view> names = {"b", "a", "b", "", "c", "b", ""};
  EXPECT_EQ(repeats(names, Which::all_but_first),
            (std::vector<bool>{false, false, true, false, false, true, true}));
  EXPECT_EQ(repeats(names, Which::all_but_last),
            (std::vector<bool>{true, false, true, true, false, false, false}));
  EXPECT_TRUE(repeats({}, Which::all_but_first).empty());
}

}  // namespace
}  // namespace ocirt
