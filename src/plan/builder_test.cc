#include "src/plan/builder.h"

#include <gtest/gtest.h>

namespace ocirt::plan {
namespace {

TEST(Plan, TextIsReadBackWithItsEndingNul) {
  Builder builder;
  Text text = builder.plan.hostname = builder.text("box");
  builder.text("next");
  const std::string block = builder.finish();
  View view(block.data());
  EXPECT_EQ(view.view(view.plan().hostname), "box");
  EXPECT_STREQ(view.text(text), "box");
}

TEST(Plan, TextMayHoldAnyByte) {
  Builder builder;
  constexpr std::string_view kBytes("a\0b\n\xff", 5);
  Text text = builder.text(kBytes);
  const std::string block = builder.finish();
  EXPECT_EQ(View(block.data()).view(text), kBytes);
}

TEST(Plan, EmptyTextIsGivenAndAbsentTextIsNot) {
  Builder builder;
  Text empty = builder.text("");
  EXPECT_TRUE(empty.given());
  EXPECT_FALSE(Text().given());
  const std::string block = builder.finish();
  View view(block.data());
  EXPECT_STREQ(view.text(empty), "");
  EXPECT_STREQ(view.text(Text()), "");
  EXPECT_EQ(view.view(Text()), "");
}

TEST(Plan, ListIsReadBackInItsOrder) {
  Builder builder;
  List<uint32_t> numbers = builder.list(std::vector<uint32_t>{3, 1, 2});
  const std::string block = builder.finish();
  auto read = View(block.data()).list(numbers);
  ASSERT_EQ(read.size(), 3u);
  EXPECT_EQ(read[0], 3u);
  EXPECT_EQ(read[1], 1u);
  EXPECT_EQ(read[2], 2u);
}

TEST(Plan, EmptyListHasNoElements) {
  Builder builder;
  List<Mount> none = builder.list(std::vector<Mount>());
  const std::string block = builder.finish();
  EXPECT_TRUE(View(block.data()).list(none).empty());
  EXPECT_TRUE(View(block.data()).list(List<Mount>()).empty());
}

// The block is mapped at a page's begin, so an offset that is aligned makes an address that is.
TEST(Plan, ListsAreAlignedWhateverComesBeforeThem) {
  Builder builder;
  for (int i = 0; i < 9; ++i) {
    builder.text(std::string(static_cast<size_t>(i), 'x'));
    EXPECT_EQ(builder.list(std::vector<uint64_t>{7}).offset % alignof(uint64_t), 0u);
    builder.text("x");
    EXPECT_EQ(builder.list(std::vector<Device>(2)).offset % alignof(Device), 0u);
  }
}

TEST(Plan, ListsOfTextsKeepEveryText) {
  Builder builder;
  const std::vector<std::string> words = {"sh", "", "-c", "exit 1"};
  List<Text> list = builder.texts(words);
  const std::string block = builder.finish();
  View view(block.data());
  auto read = view.list(list);
  ASSERT_EQ(read.size(), words.size());
  for (size_t i = 0; i < words.size(); ++i) EXPECT_EQ(view.view(read[i]), words[i]);
}

TEST(Plan, StructuresInListsAreReadBackWithWhatTheyPointTo) {
  Builder builder;
  Hook hook;
  hook.path = builder.text("/bin/hook");
  hook.args = builder.texts(std::vector<std::string>{"hook", "arg"});
  hook.timeout_s = 5;
  builder.plan.create_container = builder.list(std::vector<Hook>{hook});
  const std::string block = builder.finish();
  View view(block.data());
  auto hooks = view.list(view.plan().create_container);
  ASSERT_EQ(hooks.size(), 1u);
  EXPECT_EQ(view.view(hooks[0].path), "/bin/hook");
  EXPECT_EQ(view.view(view.list(hooks[0].args)[1]), "arg");
  EXPECT_EQ(hooks[0].timeout_s, 5u);
}

TEST(Plan, FinishPutsThePlanInFrontAndCountsTheWholeBlock) {
  Builder builder;
  builder.plan.purpose = Purpose::exec;
  builder.text("content");
  const std::string& block = builder.finish();
  EXPECT_EQ(View(block.data()).plan().purpose, Purpose::exec);
  EXPECT_EQ(View(block.data()).plan().size, block.size());
}

TEST(Plan, CanBeEditedAndFinishedAgain) {
  Builder builder;
  Text first = builder.text("first");
  const size_t before = builder.finish().size();
  Text second = builder.text("second");
  builder.plan.channel = 42;
  const std::string& block = builder.finish();
  EXPECT_GT(block.size(), before);
  View view(block.data());
  EXPECT_EQ(view.plan().size, block.size());
  EXPECT_EQ(view.plan().channel, 42);
  EXPECT_EQ(view.view(first), "first");
  EXPECT_EQ(view.view(second), "second");
}

TEST(Plan, DoesNotDependOnWhereItIs) {
  Builder builder;
  builder.plan.root = builder.text("/rootfs");
  const std::string block = builder.finish();
  std::vector<uint64_t> elsewhere(block.size() / sizeof(uint64_t) + 1);
  std::memcpy(elsewhere.data(), block.data(), block.size());
  View view(elsewhere.data());
  EXPECT_EQ(view.view(view.plan().root), "/rootfs");
}

}  // namespace
}  // namespace ocirt::plan
