#include "src/wire/server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <deque>
#include <string>
#include <vector>

#include "src/base/text.h"
#include "src/wire/any.h"
#include "src/wire/client.h"
#include "src/wire/envelope.h"
#include "src/wire/frame.h"
#include "src/wire/loop_client.h"

namespace ocirt::wire {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A server with a handler that does what the test wants.
class ServerTest : public testing::Test {
 protected:
  ServerTest() : server(*loop, Callback<Call&>::to<&ServerTest::handle>(*this)) {}

  void handle(Call& call) {
    seen.push_back(cat(call.service, "/", call.method));
    if (call.method == "Later") {
      kept.push_back(std::move(call.reply));
      kept.back().on_gone(Callback<>::to<&ServerTest::count_gone>(*this));
    } else if (call.method == "Forget") {
      return;
    } else if (call.method == "Fail") {
      call.reply.fail(Code::kNotFound, "no such container");
    } else if (call.method == "Namespace") {
      call.reply.send(call.metadata(kNamespaceKey));
    } else {
      call.reply.send(call.payload);
    }
  }
  void count_gone() { ++gone; }

  UniqueFd connect() {
    auto [mine, its] = *sys::stream_pair();
    EXPECT_TRUE(server.serve(std::move(its)));
    return std::move(mine);
  }
  void turn_until_quiet() {
    for (int i = 0; i < 64; ++i) EXPECT_TRUE(loop->turn(sys::Nanoseconds(0)));
  }
  static void put(Fd fd, std::string_view bytes) {
    EXPECT_EQ(*sys::send_some(fd, bytes), bytes.size());
  }
  static std::string request(uint32_t stream, std::string_view method,
                             std::string_view payload = {}, sys::Nanoseconds timeout = {}) {
    return *request_frame(stream, {"s", method, payload, {}}, timeout);
  }
  struct Got {
    uint32_t stream;
    Answer answer;
  };
  // Everything that has arrived.
  std::deque<Got> answers(Fd fd) {
    std::deque<Got> all;
    FrameReader reader;
    for (;;) {
      turn_until_quiet();
      char buffer[65536];
      auto got = *sys::read_some(fd, buffer);
      if (got.value_or(0) == 0) return all;
      std::string_view bytes(buffer, *got);
      while (auto frame = reader.next(bytes)) {
        EXPECT_EQ(frame->header.type, FrameType::kResponse);
        all.push_back({frame->header.stream, *read_answer(frame->payload)});
      }
    }
  }

  std::unique_ptr<sys::EventLoop> loop = *sys::EventLoop::open();
  std::vector<std::string> seen;
  std::vector<Reply> kept;
  int gone = 0;
  Server server;
};

TEST_F(ServerTest, AnswersACall) {
  UniqueFd client = connect();
  put(client, request(1, "Echo", "hello"));
  auto got = answers(client);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].stream, 1u);
  EXPECT_EQ(got[0].answer.code, Code::kOk);
  EXPECT_EQ(got[0].answer.payload, "hello");
  EXPECT_EQ(seen, std::vector<std::string>{"s/Echo"});
}

TEST_F(ServerTest, AnswersInAnyOrder) {
  UniqueFd client = connect();
  put(client, request(1, "Later") + request(3, "Later") + request(5, "Echo", "now"));
  auto got = answers(client);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].stream, 5u);
  kept[1].send("second");
  kept[0].fail(Code::kNotFound, "first");
  got = answers(client);
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got[0].stream, 3u);
  EXPECT_EQ(got[0].answer.payload, "second");
  EXPECT_EQ(got[1].stream, 1u);
  EXPECT_EQ(got[1].answer.code, Code::kNotFound);
  EXPECT_EQ(got[1].answer.text, "first");
  EXPECT_EQ(gone, 0);
}

}  // namespace
}  // namespace ocirt::wire
