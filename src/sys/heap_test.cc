#include "src/sys/heap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

namespace ocirt::sys {
namespace {

class HeapTest : public testing::Test {
 protected:
  std::unique_ptr<Heap> owned = std::make_unique<Heap>();
  Heap& heap = *owned;
};

TEST_F(HeapTest, ABlockIsAlignedAndAtLeastAsLargeAsAsked) {
  for (size_t size : {0, 1, 16, 17, 64, 65, 1000, 131072, 131073, 5000000}) {
    void* block = heap.take(size);
    ASSERT_NE(block, nullptr);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % 16, 0U) << size;
    EXPECT_GE(Heap::room_of(block), size);
    std::memset(block, 0xff, size);
  }
}

TEST_F(HeapTest, ABlockCanBeAlignedToAPage) {
  void* block = heap.take(100, 4096);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % 4096, 0U);
  heap.give_back(block);
}

TEST_F(HeapTest, WhatIsGivenBackIsTakenAgain) {
  void* first = heap.take(100);
  void* other = heap.take(100);
  heap.give_back(first);
  EXPECT_EQ(heap.take(112), first);  // the same size for four sixteenths
  EXPECT_NE(heap.take(100), other);
}

TEST_F(HeapTest, ALoopTakesNoMoreMemoryInTheEndThanAtTheBeginning) {
  auto round = [&] {
    std::vector<void*> blocks;
    for (size_t size = 1; size < 4000; size += 37) blocks.push_back(heap.take(size));
    for (void* block : blocks) heap.give_back(block);
    return *std::max_element(blocks.begin(), blocks.end());
  };
  void* highest = round();
  for (int i = 0; i < 1000; ++i) EXPECT_LE(round(), highest);
}

TEST_F(HeapTest, ZeroedMemoryIsZeroAlsoWhenItIsTakenAgain) {
  void* block = heap.take(100);
  std::memset(block, 0xff, 100);
  heap.give_back(block);
  const auto* zeroed = static_cast<char*>(heap.take_zeroed(25, 4));
  EXPECT_EQ(zeroed, block);
  EXPECT_TRUE(std::all_of(zeroed, zeroed + 100, [](char c) { return c == 0; }));
}

TEST_F(HeapTest, WhatNoMemoryCanHoldIsNotGiven) {
  EXPECT_EQ(heap.take(~size_t{0}), nullptr);
  EXPECT_EQ(heap.take(~size_t{0} - 100, 4096), nullptr);
  EXPECT_EQ(heap.take_zeroed(~size_t{0} / 2, 4), nullptr);
}

TEST_F(HeapTest, TheLastBlockGrowsWhereItIs) {
  void* block = heap.take(100);
  std::memset(block, 7, 100);
  EXPECT_EQ(heap.resize(block, 5000), block);
  (void)heap.take(16);
  void* moved = heap.resize(block, 20000);
  EXPECT_NE(moved, block);
  const auto* bytes = static_cast<char*>(moved);
  EXPECT_TRUE(std::all_of(bytes, bytes + 100, [](char c) { return c == 7; }));
}

TEST_F(HeapTest, BlocksKeepWhatIsInThemWhateverIsDoneToOthers) {
  struct Block {
    char* at;
    size_t size;
  };
  std::vector<Block> blocks;
  std::minstd_rand random(1);  // NOLINT: the same for every run
  auto up_to = [&](size_t most) { return random() % most; };
  auto is_whole = [](const Block& block, size_t size) {
    return std::all_of(block.at, block.at + size,
                       [&](char c) { return c == static_cast<char>(block.size); });
  };
  for (int i = 0; i < 50000; ++i) {
    const size_t what = up_to(10);
    const size_t size = up_to(up_to(50) == 0 ? 300000 : 2000);
    Block next{nullptr, size};
    if (what >= 5 && !blocks.empty()) {
      std::swap(blocks[up_to(blocks.size())], blocks.back());
      const Block old = blocks.back();
      blocks.pop_back();
      ASSERT_TRUE(is_whole(old, old.size));
      if (what < 8) {
        heap.give_back(old.at);
        continue;
      }
      next.at = static_cast<char*>(heap.resize(old.at, size));
      ASSERT_TRUE(is_whole({next.at, old.size}, std::min(size, old.size)));
    } else {
      next.at = static_cast<char*>(heap.take(size, size_t{16} << (up_to(8) == 0 ? up_to(8) : 0)));
    }
    std::memset(next.at, static_cast<char>(size), size);
    blocks.push_back(next);
  }
}

using HeapDeathTest = HeapTest;

TEST_F(HeapDeathTest, ABlockThatIsGivenBackTwiceEndsTheProcess) {
  void* block = heap.take(100);
  heap.give_back(block);
  EXPECT_DEATH(heap.give_back(block), "given back twice");
}

TEST_F(HeapDeathTest, WhatIsNoBlockEndsTheProcess) {
  auto* block = static_cast<char*>(heap.take(100));
  std::memset(block, 0, 100);
  EXPECT_DEATH(heap.give_back(block + 32), "this is no block");
}

}  // namespace
}  // namespace ocirt::sys
