#include "src/wire/loop_client.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "src/base/text.h"
#include "src/sys/stream.h"
#include "src/wire/server.h"

namespace ocirt::wire {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class LoopClientTest : public testing::Test {
 public:
  LoopClientTest() : server(*loop, Callback<Call&>::to<&LoopClientTest::handle>(*this)) {
    auto [mine, its] = *sys::stream_pair();
    client = *LoopClient::open(*loop, std::move(mine));
    EXPECT_TRUE(server.serve(std::move(its)));
    client->on_end(Callback<>::to<&LoopClientTest::on_end>(*this));
  }
  void handle(Call& call) {
    if (call.method == "Later") {
      kept.push_back(std::move(call.reply));
    } else if (call.method == "Fail") {
      call.reply.fail(Code::kNotFound, "no");
    } else {
      call.reply.send(call.payload);
    }
  }
  void done(uint32_t number, Result<Answer>& answer) {
    results[number] = !answer                     ? cat("error ", answer.error().code)
                      : answer->code != Code::kOk ? cat("code ", static_cast<int>(answer->code))
                                                  : answer->payload;
    if (destroy) client.reset();
  }
  void on_end() { ends += 1; }
  uint32_t call(std::string_view method, std::string_view payload = {},
                sys::Nanoseconds timeout = {}) {
    return *client->call({"s", method, payload, {}}, timeout,
                         LoopClient::Done::to<&LoopClientTest::done>(*this));
  }
  void turn() {
    for (int i = 0; i < 64; ++i) ASSERT_TRUE(loop->turn(sys::Nanoseconds(0)));
  }

  std::unique_ptr<sys::EventLoop> loop = *sys::EventLoop::open();
  std::vector<Reply> kept;
  Server server;
  std::unique_ptr<LoopClient> client;
  std::map<uint32_t, std::string> results;
  int ends = 0;
  bool destroy = false;
};

TEST_F(LoopClientTest, SeveralCallsAtOnce) {
  const uint32_t later = call("Later"), now = call("Echo", "x"), fails = call("Fail");
  turn();
  EXPECT_EQ(results, (std::map<uint32_t, std::string>{{now, "x"}, {fails, "code 5"}}));
  EXPECT_EQ(client->calls_under_way(), 1u);
  kept[0].send("at last");
  turn();
  EXPECT_EQ(results[later], "at last");
}

TEST_F(LoopClientTest, ACallHasItsTime) {
  const auto begin = std::chrono::steady_clock::now();
  const uint32_t slow = call("Later", {}, milliseconds(5)),
                 patient = call("Later", {}, seconds(100));
  while (results.empty()) ASSERT_TRUE(loop->turn());
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(5));
  EXPECT_TRUE(results[slow] == "error 110" || results[slow] == "code 4") << results[slow];
  EXPECT_FALSE(results.contains(patient));
  turn();
  EXPECT_EQ(results.size(), 1u);
}

TEST_F(LoopClientTest, AForgottenCallIsNotHeardOf) {
  const uint32_t number = call("Later");
  turn();
  client->cancel(number);
  kept[0].send("x");
  turn();
  EXPECT_TRUE(results.empty());
}

class LostServer : public testing::Test {
 public:
  void done(uint32_t, Result<Answer>& answer) {
    errors += !answer && answer.error().code == ECONNRESET;
    if (destroy) client.reset();
  }
  void on_end() { ++ends; }
  bool call() {
    return client
        ->call({"s", "m", {}, {}}, seconds(100), LoopClient::Done::to<&LostServer::done>(*this))
        .has_value();
  }
  std::unique_ptr<sys::EventLoop> loop = *sys::EventLoop::open();
  std::pair<UniqueFd, UniqueFd> pair = *sys::stream_pair();
  std::unique_ptr<LoopClient> client = *LoopClient::open(*loop, std::move(pair.first));
  int errors = 0, ends = 0;
  bool destroy = false;
};

TEST_F(LostServer, EveryCallHearsOfItOnce) {
  client->on_end(Callback<>::to<&LostServer::on_end>(*this));
  EXPECT_TRUE(call() && call());
  pair.second.reset();
  EXPECT_TRUE(call());  // not noticed yet
  EXPECT_EQ(errors, 0);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(loop->turn(milliseconds(0)));
  EXPECT_EQ(errors, 3);
  EXPECT_EQ(ends, 1);
  EXPECT_TRUE(client->has_ended());
  EXPECT_FALSE(call());
}

TEST_F(LostServer, ACallbackMayDestroyTheClient) {
  EXPECT_TRUE(call() && call());
  destroy = true;
  pair.second.reset();
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(loop->turn(milliseconds(0)));
  EXPECT_EQ(errors, 1);
  EXPECT_EQ(client, nullptr);
}

TEST_F(LostServer, AnAnswerTooLongIsTheEnd) {
  EXPECT_TRUE(call());
  ASSERT_TRUE(sys::send_some(pair.second, std::string_view("\xff\xff\xff\xff\0\0\0\1\2\0", 10)));
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(loop->turn(milliseconds(0)));
  EXPECT_EQ(errors, 1);
}

TEST_F(LostServer, AServerThatDoesNotReadIsNotWrittenToForEver) {
  const std::string big(1 << 20, 'x');
  int made = 0;
  Result<uint32_t> last = 0u;
  while (last && made < 100) {
    last = client->call({"s", "m", big, {}}, {}, LoopClient::Done::to<&LostServer::done>(*this));
    ++made;
  }
  EXPECT_LT(made, 10);
  EXPECT_EQ(last.error().code, EAGAIN);
}

TEST_F(LoopClientTest, AnAnswerMayDestroyTheClient) {
  call("Echo", "1");
  call("Echo", "2");
  destroy = true;
  turn();
  EXPECT_EQ(results.size(), 1u);
}

}  // namespace
}  // namespace ocirt::wire
