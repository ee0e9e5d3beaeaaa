#include "src/linux/cpu_list.h"

#include <gtest/gtest.h>

namespace ocirt {
namespace {

std::string again(std::string_view text) {
  auto set = parse_number_list(text);
  return set ? number_list(*set) : "error: " + set.error().text;
}

TEST(CpuList, ListsOfTheKernelAreReadAndWrittenBack) {
  EXPECT_EQ(again("0-3,7"), "0-3,7");
  EXPECT_EQ(again("7,0,1,2,3"), "0-3,7");
  EXPECT_EQ(again(" 1 , 3 - 4 \n"), "1,3-4");
  EXPECT_EQ(again("0-30:2/8"), "0-1,8-9,16-17,24-25");
  EXPECT_EQ(again("63-64"), "63-64");
  EXPECT_EQ(again("65535"), "65535");
  EXPECT_EQ(again(""), "");
}

TEST(CpuList, TheSetHasTheKernelsLayout) {
  NumberSet set = *parse_number_list("0,65,1100");
  ASSERT_EQ(set.words.size(), 18u);
  EXPECT_EQ(set.words[0], 1ul);
  EXPECT_EQ(set.words[1], 2ul);
  EXPECT_EQ(set.bytes(), 144u);
  EXPECT_EQ(set.count(), 3u);
  EXPECT_TRUE(set.contains(1100));
  EXPECT_FALSE(set.contains(1101));
  EXPECT_FALSE(set.contains(100000));
  EXPECT_FALSE(set.empty());
  EXPECT_TRUE(NumberSet{}.empty());
}

TEST(CpuList, WrongItemsAreNamed) {
  EXPECT_EQ(again("0,x"), "error: list item \"x\" is neither a number nor a range such as 0-3");
  EXPECT_EQ(again("3-1"), "error: list item \"3-1\" runs backwards");
  EXPECT_EQ(again("65536"), "error: list item \"65536\" is too large, the most is 65535");
  for (auto text : {",", "1,", "-1", "1-", "1--2", "0-4:1", "0-4:0/2", "0-4:3/2", "0-4:1/0",
                    "4:1/2", "0x1", "1;2", "99999999999", "all"}) {
    EXPECT_TRUE(again(text).starts_with("error: list item ")) << text << " " << again(text);
  }
}

// A configuration of 16 MB has room for two million ranges.
TEST(CpuList, SaysTheSameNotOverAndOverAgain) {
  std::string text = "0-65535";
  for (int i = 1; i < 16; ++i) text += ",0-65535:1/2";
  EXPECT_TRUE(parse_number_list(text));
  text += ",7";
  EXPECT_EQ(parse_number_list(text).error().text,
            "list item \"7\": the list says too much, more than 1048576 numbers");
}

}  // namespace
}  // namespace ocirt
