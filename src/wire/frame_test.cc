#include "src/wire/frame.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ocirt::wire {
namespace {

using namespace std::string_literals;

// What `ctr --namespace x shim --id c1 state` of containerd 1.6.20 has sent.
const std::string kState =
    "\x00\x00\x00\x26\x00\x00\x00\x01\x01\x00\x0a\x17"
    "containerd.task.v2.Task\x12\x05State\x1a\x04\x0a\x02"
    "c1"s;

std::string frame(uint32_t stream, std::string_view payload, FrameType type = FrameType::kRequest) {
  std::string out(kHeaderSize, '\0');
  encode({static_cast<uint32_t>(payload.size()), stream, type, 0}, out.data());
  return out + std::string(payload);
}

// Feeds the bytes in pieces of one size and lists what comes out.
std::vector<std::string> cut(std::string_view bytes, size_t piece) {
  FrameReader reader;
  std::vector<std::string> out;
  while (!bytes.empty()) {
    std::string_view part = bytes.substr(0, piece);
    bytes.remove_prefix(part.size());
    while (auto got = reader.next(part)) {
      out.push_back(std::to_string(got->header.stream) +
                    (got->is_oversized ? "!" : ":" + std::string(got->payload)));
    }
    EXPECT_TRUE(part.empty());
  }
  EXPECT_TRUE(reader.is_between_frames());
  return out;
}

TEST(Frame, HeaderIsInNetworkOrder) {
  char bytes[kHeaderSize];
  const FrameHeader header{0x01020304, 0x05060708, FrameType::kData, 9};
  encode(header, bytes);
  const std::string_view expected("\x01\x02\x03\x04\x05\x06\x07\x08\x03\x09", kHeaderSize);
  EXPECT_EQ(std::string_view(bytes, kHeaderSize), expected);
  EXPECT_EQ(decode_header(expected), header);
}

TEST(Frame, ReadsWhatContainerdSends) {
  FrameReader reader;
  std::string_view bytes = kState;
  const auto got = reader.next(bytes);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->header, (FrameHeader{38, 1, FrameType::kRequest, 0}));
  EXPECT_EQ(got->payload, std::string_view(kState).substr(kHeaderSize));
  EXPECT_TRUE(bytes.empty());
}

TEST(Frame, ReadsTheSameHoweverItIsCut) {
  const std::string all = frame(1, "one") + frame(3, "") + frame(5, std::string(300, 'x')) + kState;
  const std::vector<std::string> whole = cut(all, all.size());
  ASSERT_EQ(whole.size(), 4u);
  EXPECT_EQ(whole[1], "3:");
  for (size_t piece = 1; piece < all.size(); ++piece) EXPECT_EQ(cut(all, piece), whole) << piece;
}

TEST(Frame, WhatIsTooLongIsPassedOverHoweverItIsCut) {
  std::string all = frame(1, "a") + frame(3, std::string(kMaxPayload + 1, 'x')) + frame(5, "b");
  const std::vector<std::string> expected{"1:a", "3!", "5:b"};
  for (size_t piece : {size_t{7}, size_t{4096}, all.size()}) EXPECT_EQ(cut(all, piece), expected);
  // The longest one is not too long.
  all = frame(1, std::string(kMaxPayload, 'x'));
  EXPECT_EQ(cut(all, 65536)[0].size(), kMaxPayload + 2);
}

TEST(Frame, AnAnnouncedLengthTakesNoMemory) {
  FrameReader reader;
  const std::string header = frame(1, std::string(kMaxPayload, 'x')).substr(0, kHeaderSize + 1);
  std::string_view bytes = header;
  EXPECT_FALSE(reader.next(bytes));
  EXPECT_FALSE(reader.is_between_frames());
  EXPECT_LE(sizeof reader, 64u);
}

TEST(Frame, ALengthOfFourGigabytesIsPassedOver) {
  FrameReader reader;
  std::string_view bytes("\xff\xff\xff\xff\x00\x00\x00\x01\x01\x00rest", 14);
  const auto got = reader.next(bytes);
  ASSERT_TRUE(got && got->is_oversized);
  EXPECT_FALSE(reader.next(bytes));
  EXPECT_TRUE(bytes.empty());
  EXPECT_FALSE(reader.is_between_frames());
}

}  // namespace
}  // namespace ocirt::wire
