#include "src/wire/frame.h"

#include <algorithm>

namespace ocirt::wire {
namespace {

void put_u32(uint32_t value, char* out) {
  for (int i = 0; i < 4; ++i) out[i] = static_cast<char>(value >> (24 - 8 * i));
}

uint32_t get_u32(std::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

std::string_view take(std::string_view& bytes, size_t count) {
  const std::string_view taken = bytes.substr(0, count);
  bytes.remove_prefix(taken.size());
  return taken;
}

}  // namespace

void encode(const FrameHeader& header, char* out) {
  put_u32(header.length, out);
  put_u32(header.stream, out + 4);
  out[8] = static_cast<char>(header.type);
  out[9] = static_cast<char>(header.flags);
}

FrameHeader decode_header(std::string_view bytes) {
  return {.length = get_u32(bytes),
          .stream = get_u32(bytes.substr(4)),
          .type = static_cast<FrameType>(bytes[8]),
          .flags = static_cast<uint8_t>(bytes[9])};
}

std::optional<Frame> FrameReader::begin_skipping(const FrameHeader& header) {
  skip_ = header.length;
  return Frame{.header = header, .payload = {}, .is_oversized = true};
}

std::optional<Frame> FrameReader::next(std::string_view& bytes) {
  if (delivered_) {
    std::string().swap(held_);  // clear() would keep the memory
    delivered_ = false;
  }
  skip_ -= take(bytes, skip_).size();
  if (skip_ > 0) return std::nullopt;

  if (held_.empty() && bytes.size() >= kHeaderSize) {
    // The usual case: the whole frame has come with one read, and is not copied.
    const FrameHeader header = decode_header(bytes);
    if (header.length > kMaxPayload) {
      take(bytes, kHeaderSize);
      return begin_skipping(header);
    }
    if (bytes.size() - kHeaderSize >= header.length) {
      take(bytes, kHeaderSize);
      return Frame{.header = header, .payload = take(bytes, header.length)};
    }
  }

  if (held_.size() < kHeaderSize) held_ += take(bytes, kHeaderSize - held_.size());
  if (held_.size() < kHeaderSize) return std::nullopt;
  const FrameHeader header = decode_header(held_);
  if (header.length > kMaxPayload) {
    std::string().swap(held_);
    return begin_skipping(header);
  }
  held_ += take(bytes, kHeaderSize + header.length - held_.size());
  if (held_.size() < kHeaderSize + header.length) return std::nullopt;
  delivered_ = true;
  return Frame{.header = header, .payload = std::string_view(held_).substr(kHeaderSize)};
}

}  // namespace ocirt::wire
