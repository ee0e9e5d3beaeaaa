#include "src/wire/server.h"

#include <gtest/gtest.h>
#include <unistd.h>

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
 public:
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

TEST_F(ServerTest, WhatIsNotFollowedIsRefused) {
  UniqueFd client = connect();
  put(client, request(2, "Echo") + request(3, "Echo") + request(3, "Echo") + request(1, "Echo") +
                  request(0, "Echo") + request(5, "Echo"));
  auto got = answers(client);
  ASSERT_EQ(got.size(), 6u);
  EXPECT_EQ(got[0].answer.text, "stream 2: a client's are odd");
  EXPECT_EQ(got[1].answer.code, Code::kOk);
  EXPECT_EQ(got[2].answer.text, "stream 3: not above the last one, 3");
  EXPECT_EQ(got[3].answer.text, "stream 1: not above the last one, 3");
  EXPECT_EQ(got[4].answer.code, Code::kInvalidArgument);
  EXPECT_EQ(got[5].answer.code, Code::kOk);
  EXPECT_EQ(seen.size(), 2u);
}

TEST_F(ServerTest, StreamsOfMessagesAreRefusedAndTypesToComePassedOver) {
  UniqueFd client = connect();
  std::string data = request(1, "Echo"), unknown = request(1, "Echo"), response = unknown;
  data[8] = 3;
  unknown[8] = 77;
  response[8] = 2;
  put(client, data + unknown + response + request(1, "Echo", "still here"));
  auto got = answers(client);
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got[0].answer.code, Code::kInvalidArgument);
  EXPECT_EQ(got[1].answer.payload, "still here");
}

TEST_F(ServerTest, AMalformedRequestIsAnsweredAndTheConnectionGoesOn) {
  UniqueFd client = connect();
  std::string bad = request(1, "Echo", "x");
  bad[kHeaderSize] = '\x0b';
  put(client, bad + request(3, "Echo", "y"));
  auto got = answers(client);
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got[0].answer.code, Code::kInvalidArgument);
  EXPECT_EQ(got[1].answer.payload, "y");
}

TEST_F(ServerTest, AMessageThatIsTooLongIsReadToItsEnd) {
  UniqueFd client = connect();
  std::string big(kHeaderSize, '\0');
  encode({kMaxPayload + 1, 1, FrameType::kRequest, 0}, big.data());
  big += std::string(kMaxPayload + 1, 'x') + request(3, "Echo", "after");
  for (std::string_view rest = big; !rest.empty(); turn_until_quiet()) {
    rest.remove_prefix(*sys::send_some(client, rest));
  }
  auto got = answers(client);
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got[0].stream, 1u);
  EXPECT_EQ(got[0].answer.code, Code::kResourceExhausted);
  EXPECT_EQ(got[1].answer.payload, "after");
}

TEST_F(ServerTest, TheLongestMessagesPassInBothDirections) {
  UniqueFd client = connect();
  const std::string payload(kMaxPayload - 20, 'x');
  const std::string sent = request(1, "Echo", payload);
  std::string got;
  FrameReader reader;
  for (std::string_view rest = sent; got.empty();) {
    rest.remove_prefix(*sys::send_some(client, rest));
    turn_until_quiet();
    char buffer[65536];
    const size_t size = (*sys::read_some(client, buffer)).value_or(0);
    std::string_view bytes(buffer, size);
    if (auto frame = reader.next(bytes)) got = read_answer(frame->payload)->payload;
  }
  EXPECT_EQ(got, payload);
  EXPECT_EQ(server.unsent(), 0u);
}

TEST_F(ServerTest, ADroppedReplyIsAnInternalError) {
  UniqueFd client = connect();
  put(client, request(1, "Forget") + request(3, "Later") + request(5, "Fail"));
  kept.reserve(1);
  turn_until_quiet();
  kept.clear();
  auto got = answers(client);
  ASSERT_EQ(got.size(), 3u);
  EXPECT_EQ(got[0].answer.code, Code::kInternal);
  EXPECT_EQ(got[1].answer.text, "no such container");
  EXPECT_EQ(got[2].answer.code, Code::kInternal);
  EXPECT_EQ(gone, 0);
}

TEST_F(ServerTest, ASecondAnswerIsNotSent) {
  UniqueFd client = connect();
  put(client, request(1, "Later"));
  turn_until_quiet();
  kept[0].send("one");
  EXPECT_FALSE(kept[0].is_awaited());
  kept[0].send("two");
  kept[0].fail(Code::kUnknown, "three");
  EXPECT_EQ(answers(client).size(), 1u);
}

TEST_F(ServerTest, ADeadlineIsAnsweredByTheServer) {
  UniqueFd client = connect();
  put(client,
      request(1, "Later", {}, seconds(3600)) + request(3, "Later", {}, sys::Nanoseconds(-1)));
  auto got = answers(client);
  ASSERT_EQ(got.size(), 1u);  // over before it came: not even begun
  EXPECT_EQ(got[0].stream, 3u);
  EXPECT_EQ(got[0].answer.code, Code::kDeadlineExceeded);
  ASSERT_EQ(kept.size(), 1u);
  put(client, request(5, "Later", {}, milliseconds(5)));
  for (got.clear(); got.empty(); got = answers(client)) ASSERT_TRUE(loop->turn());
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].stream, 5u);
  EXPECT_EQ(got[0].answer.code, Code::kDeadlineExceeded);
  EXPECT_EQ(gone, 1);
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_TRUE(kept[0].is_awaited());
  EXPECT_FALSE(kept[1].is_awaited());
}

// Whoever answered, or left, before the deadline is not told of it.
TEST_F(ServerTest, ADeadlineIsHeardOnceAndOnlyByWhoWaits) {
  UniqueFd client = connect(), other = connect(), third = connect();
  kept.reserve(3);
  put(client, request(1, "Later", {}, milliseconds(20)));
  put(other, request(1, "Later", {}, milliseconds(20)));
  put(third, request(1, "Later", {}, milliseconds(20)));
  turn_until_quiet();
  ASSERT_EQ(kept.size(), 3u);
  kept[0].send("in time");
  other.reset();
  turn_until_quiet();
  EXPECT_EQ(gone, 1);
  EXPECT_EQ(answers(client).size(), 1u);
  ASSERT_TRUE(loop->turn(milliseconds(100)));
  turn_until_quiet();
  EXPECT_EQ(gone, 2);
  EXPECT_EQ(answers(third).size(), 1u);
  EXPECT_EQ(answers(client).size(), 0u);
  third.reset();
  turn_until_quiet();
  EXPECT_EQ(gone, 2);
}

TEST_F(ServerTest, CallsHearThatTheirConnectionIsGone) {
  UniqueFd client = connect(), other = connect();
  put(client, request(1, "Later") + request(3, "Later"));
  put(other, request(1, "Later"));
  turn_until_quiet();
  kept[0].send("answered");
  client.reset();
  turn_until_quiet();
  EXPECT_EQ(gone, 1);
  EXPECT_FALSE(kept[1].is_awaited());
  kept[1].send("to nobody");
  EXPECT_TRUE(kept[2].is_awaited());
  EXPECT_EQ(server.connection_count(), 1u);
}

// A callback may drop and answer whatever it likes.
TEST_F(ServerTest, ReleasingOneCallMayReleaseTheOthers) {
  struct Releaser {
    std::vector<Reply>& kept;
    int count = 0;
    void on_gone() {
      ++count;
      kept[1].send("too late");
      kept.clear();
    }
  };
  Releaser releaser{kept};
  UniqueFd client = connect();
  kept.reserve(3);
  put(client, request(1, "Later") + request(3, "Later") + request(5, "Later"));
  turn_until_quiet();
  for (Reply& reply : kept) reply.on_gone(Callback<>::to<&Releaser::on_gone>(releaser));
  client.reset();
  turn_until_quiet();
  EXPECT_EQ(releaser.count, 1);
  EXPECT_EQ(server.connection_count(), 0u);
}

TEST_F(ServerTest, AConnectionMayEndAtAnyByte) {
  const std::string all = request(1, "Later", "xy", seconds(5)) + request(3, "Echo", "z");
  for (size_t size = 0; size <= all.size(); ++size) {
    UniqueFd client = connect();
    put(client, std::string_view(all).substr(0, size));
    if (size % 2 == 0) turn_until_quiet();
    client.reset();
    turn_until_quiet();
    ASSERT_EQ(server.connection_count(), 0u) << size;
  }
  for (const Reply& reply : kept) EXPECT_FALSE(reply.is_awaited());
  EXPECT_EQ(static_cast<size_t>(gone), kept.size());
}

TEST_F(ServerTest, WhoDoesNotReadIsNotAskedForMore) {
  UniqueFd client = connect();
  const std::string big(1 << 20, 'x');
  uint32_t stream = 1;
  size_t accepted = 0;
  for (int round = 0; round < 200; ++round) {
    const std::string frame = request(stream, "Echo", big);
    for (std::string_view rest = frame; !rest.empty();) {
      const size_t sent = *sys::send_some(client, rest);
      turn_until_quiet();
      if (sent == 0 && *sys::send_some(client, rest.substr(0, 0)) == 0) {
        // The server has stopped to read, and the socket is full.
        round = 1000;
        break;
      }
      rest.remove_prefix(sent);
      accepted += sent;
    }
    stream += 2;
  }
  EXPECT_LT(server.unsent(), size_t{3} << 20);
  EXPECT_LT(accepted, size_t{8} << 20);
  EXPECT_EQ(server.connection_count(), 1u);
  // Another client is served all the same.
  UniqueFd other = connect();
  put(other, request(1, "Echo", "hello"));
  EXPECT_EQ(answers(other).size(), 1u);
  // And this one too, once it reads.
  EXPECT_GT(answers(client).size(), 0u);
  EXPECT_EQ(server.unsent(), 0u);
}

TEST_F(ServerTest, WhoNeverReadsIsGivenUp) {
  UniqueFd client = connect();
  for (uint32_t stream = 1; stream < 41; stream += 2) put(client, request(stream, "Later"));
  turn_until_quiet();
  ASSERT_EQ(kept.size(), 20u);
  const std::string big(1 << 20, 'x');
  for (Reply& reply : kept) reply.send(big);
  EXPECT_LE(server.unsent(), size_t{16} << 20);
  turn_until_quiet();
  EXPECT_EQ(server.connection_count(), 0u);
}

TEST_F(ServerTest, CallsThatWaitHaveALimit) {
  UniqueFd client = connect();
  kept.reserve(2000);
  for (uint32_t i = 0; i < 1030; ++i) {
    put(client, request(2 * i + 1, "Later"));
    if (i % 100 == 0) turn_until_quiet();
  }
  auto got = answers(client);
  ASSERT_EQ(got.size(), 6u);
  EXPECT_EQ(got[0].answer.code, Code::kResourceExhausted);
  kept.clear();
  put(client, request(4001, "Echo", "room again"));
  EXPECT_EQ(answers(client).back().answer.payload, "room again");
}

TEST_F(ServerTest, HearsTheNamespace) {
  UniqueFd client = connect();
  put(client, *request_frame(1, {"s", "Namespace", {}, "k8s.io"}, {}) + request(3, "Namespace"));
  auto got = answers(client);
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got[0].answer.payload, "k8s.io");
  EXPECT_EQ(got[1].answer.payload, "");
}

TEST_F(ServerTest, CallsOfAServerThatEndsAreReleased) {
  auto loop2 = *sys::EventLoop::open();
  auto server2 = std::make_unique<Server>(
      *loop2, Callback<Call&>::to<&ServerTest::handle>(static_cast<ServerTest&>(*this)));
  auto [mine, its] = *sys::stream_pair();
  UniqueFd of_a_worker(::dup(its.raw()));  // the client is not to wait for its end
  ASSERT_TRUE(server2->serve(std::move(its)));
  put(mine, request(1, "Later", {}, seconds(5)));
  ASSERT_TRUE(loop2->turn());
  server2.reset();
  EXPECT_EQ(gone, 1);
  loop2.reset();
  kept.clear();
  char buffer[8];
  EXPECT_EQ(**sys::read_some(mine, buffer), 0u);
}

}  // namespace
}  // namespace ocirt::wire
