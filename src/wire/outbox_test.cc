#include "src/wire/outbox.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

#include "src/sys/stream.h"

namespace ocirt::wire {
namespace {

std::string read_all(Fd fd) {
  std::string all;
  char buffer[65536];
  while (auto got = (*sys::read_some(fd, buffer)).value_or(0)) all.append(buffer, got);
  return all;
}

TEST(Outbox, KeepsNothingWhileThereIsRoom) {
  auto [a, b] = *sys::stream_pair();
  Outbox outbox;
  ASSERT_TRUE(outbox.send(a, "one"));
  ASSERT_TRUE(outbox.send(a, "two"));
  EXPECT_TRUE(outbox.empty());
  EXPECT_EQ(read_all(b), "onetwo");
}

TEST(Outbox, KeepsTheOrderOfWhatHasNoRoom) {
  auto [a, b] = *sys::stream_pair();
  Outbox outbox;
  std::string expected, got;
  for (int i = 0; i < 2000; ++i) {
    const std::string frame = std::string(1000, static_cast<char>('a' + i % 26));
    expected += frame;
    ASSERT_TRUE(outbox.send(a, frame));
    // A reader that is slower than the writer, so that both kinds of room are made.
    if (i % 300 == 299) {
      got += read_all(b);
      ASSERT_TRUE(outbox.write(a));
    }
  }
  EXPECT_FALSE(outbox.empty());
  while (!outbox.empty()) {
    got += read_all(b);
    ASSERT_TRUE(outbox.write(a));
  }
  got += read_all(b);
  EXPECT_EQ(got, expected);
}

TEST(Outbox, SaysWhenNobodyReads) {
  auto [a, b] = *sys::stream_pair();
  b.reset();
  Outbox outbox;
  EXPECT_EQ(outbox.send(a, "x").error().code, EPIPE);
}

}  // namespace
}  // namespace ocirt::wire
