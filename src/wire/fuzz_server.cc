// Fuzzer of the server: a client that sends any bytes, in pieces, and closes. Whatever it sends,
// every answer is a frame that can be read, calls that were kept hear of the end, and nothing is
// left.
//
// The first byte says how: bit 0 puts a header in front, so that the payload is reached at once,
// bit 1 sends it in two pieces. Build with clang -fsanitize=fuzzer,address,undefined.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "src/wire/envelope.h"
#include "src/wire/frame.h"
#include "src/wire/server.h"

namespace {

using namespace ocirt;
using namespace ocirt::wire;

void must(bool condition) {
  if (!condition) std::abort();
}

struct Handler {
  std::vector<Reply> kept;
  int gone = 0;

  void on_gone() { ++gone; }
  void handle(Call& call) {
    if (call.payload.size() % 3 == 0) return call.reply.send(call.payload);
    if (call.payload.size() % 3 == 1) return call.reply.fail(Code::kUnknown, call.payload);
    call.reply.on_gone(Callback<>::to<&Handler::on_gone>(*this));
    kept.push_back(std::move(call.reply));
  }
};

void turn(sys::EventLoop& loop) {
  for (int i = 0; i < 8; ++i) must(loop.turn(sys::Nanoseconds(0)).has_value());
}

void check_answers(Fd client) {
  FrameReader reader;
  char buffer[16384];
  while (const size_t got = (*sys::read_some(client, buffer)).value_or(0)) {
    std::string_view bytes(buffer, got);
    while (auto frame = reader.next(bytes)) {
      must(!frame->is_oversized && frame->header.type == FrameType::kResponse);
      must(read_answer(frame->payload).has_value());
    }
  }
  must(reader.is_between_frames());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 65536) return 0;
  std::string bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  if ((data[0] & 1) != 0) {
    char header[kHeaderSize];
    encode({static_cast<uint32_t>(bytes.size()), 1, FrameType::kRequest, 0}, header);
    bytes.insert(0, header, kHeaderSize);
  }
  auto loop = *sys::EventLoop::open();
  Handler handler;
  Server server(*loop, Callback<Call&>::to<&Handler::handle>(handler));
  auto [client, other] = *sys::stream_pair();
  must(server.serve(std::move(other)).has_value());
  const size_t cut = (data[0] & 2) != 0 ? bytes.size() / 2 : 0;
  for (std::string_view piece :
       {std::string_view(bytes).substr(0, cut), std::string_view(bytes).substr(cut)}) {
    (void)sys::send_some(client, piece);
    turn(*loop);
  }
  check_answers(client);
  size_t waiting = 0;
  for (const Reply& reply : handler.kept) waiting += reply.is_awaited();
  const int before = handler.gone;  // deadlines
  client.reset();
  turn(*loop);
  must(server.connection_count() == 0);
  must(handler.gone == before + static_cast<int>(waiting));
  return 0;
}
