// What ttrpc puts around each message: ten bytes that say how long it is, to which call it belongs
// and what it is.
//
//     u32 length | u32 stream | u8 type | u8 flags | payload          (numbers in network order)
//
// A client numbers its calls 1, 3, 5 ...; the answer carries the number of the call, and answers
// come in any order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ocirt::wire {

inline constexpr size_t kHeaderSize = 10;
inline constexpr size_t kMaxPayload = 4 << 20;

enum class FrameType : uint8_t { kRequest = 1, kResponse = 2, kData = 3 };

// Flags of calls of many messages: the sender will send no more, will send messages (in a request),
// and this frame carries none.
inline constexpr uint8_t kRemoteClosed = 1;
inline constexpr uint8_t kRemoteOpen = 2;
inline constexpr uint8_t kNoData = 4;

struct FrameHeader {
  uint32_t length = 0;
  uint32_t stream = 0;
  FrameType type{};   // any number may arrive
  uint8_t flags = 0;  // of calls of many messages only
  friend bool operator==(const FrameHeader&, const FrameHeader&) = default;
};

// Writes the header's bytes to `out`, which has room for kHeaderSize.
void encode(const FrameHeader& header, char* out);
// The header in the first kHeaderSize bytes.
FrameHeader decode_header(std::string_view bytes);

struct Frame {
  FrameHeader header;
  std::string_view payload;
  bool is_oversized = false;  // longer than kMaxPayload: it has no payload here, it is passed over
};

// Cuts a stream of bytes into frames, wherever the reads have cut it. It keeps memory only while a
// frame has begun and not ended, and then as much as has arrived, not as much as has been
// announced.
class FrameReader {
 public:
  // The next frame that ends within `bytes`, from which it takes what it has used; nothing when all
  // of `bytes` is used up. The payload is valid until the next call, and as long as `bytes` is.
  std::optional<Frame> next(std::string_view& bytes);
  // Whether the stream may end here without cutting a frame.
  bool is_between_frames() const { return skip_ == 0 && (held_.empty() || delivered_); }

 private:
  std::optional<Frame> begin_skipping(const FrameHeader& header);

  std::string held_;        // the beginning of a frame
  size_t skip_ = 0;         // bytes of an oversized frame that are still to come
  bool delivered_ = false;  // held_ has been the payload of the last frame
};

}  // namespace ocirt::wire
