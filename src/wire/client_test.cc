#include "src/wire/client.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <thread>
#include <vector>

#include "src/base/text.h"
#include "src/sys/stream.h"

namespace ocirt::wire {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A server that says what it was told to, whatever it is asked.
class ClientTest : public testing::Test {
 protected:
  ClientTest() {
    auto [mine, its] = *sys::stream_pair();
    client.emplace(std::move(mine));
    server = std::move(its);
  }
  ~ClientTest() override {
    if (thread.joinable()) thread.join();
  }
  // Reads one request after the other, and answers each with the next of these bytes.
  void serve(std::vector<std::string> answers, bool close_after = false) {
    thread = std::thread([this, answers = std::move(answers), close_after] {
      FrameReader reader;
      size_t next = 0;
      while (next < answers.size()) {
        (void)sys::wait_until_ready(server, sys::kReadable, seconds(5));
        char buffer[65536];
        const auto got = (*sys::read_some(server, buffer)).value_or(0);
        if (got == 0) return;
        std::string_view bytes(buffer, got);
        while (auto frame = reader.next(bytes)) {
          requests.push_back(std::string(frame->payload));
          for (std::string_view rest = answers[next++]; !rest.empty();) {
            rest.remove_prefix(*sys::send_some(server, rest));
          }
        }
      }
      if (close_after) sys::shut_down(server);
    });
  }

  std::optional<Client> client;
  UniqueFd server;
  std::thread thread;
  std::vector<std::string> requests;
};

TEST_F(ClientTest, WaitsForTheAnswer) {
  serve({answer_frame(1, "one"), refusal_frame(3, Code::kNotFound, "no c1")});
  EXPECT_EQ(client->call("s", "m", "x", seconds(5))->payload, "one");
  const Answer answer = *client->call("s", "m", "x", {});
  EXPECT_EQ(answer.code, Code::kNotFound);
  EXPECT_EQ(answer.text, "no c1");
  thread.join();
  auto request = *parse<ttrpc::Request>(requests[0]);
  EXPECT_EQ(request->timeout_nano, 5'000'000'000);
  EXPECT_EQ((*parse<ttrpc::Request>(requests[1]))->timeout_nano, 0);
  EXPECT_EQ(request->n_metadata, 0u);
}

TEST_F(ClientTest, SaysItsNamespace) {
  serve({answer_frame(1, {})});
  client->set_namespace("k8s.io");
  EXPECT_TRUE(client->call("s", "m", {}, seconds(5)));
  thread.join();
  auto request = *parse<ttrpc::Request>(requests[0]);
  ASSERT_EQ(request->n_metadata, 1u);
  EXPECT_EQ(request->metadata[0]->key, kNamespaceKey);
  EXPECT_STREQ(request->metadata[0]->value, "k8s.io");
}

TEST_F(ClientTest, WithMessagesARefusalIsAnError) {
  auto pid = blank<StartResponse>();
  pid.pid = 7;
  serve({answer_frame(1, pack(pid)), refusal_frame(3, Code::kAlreadyExists, "c1 is there")});
  EXPECT_EQ((*client->call<StartResponse>("s", "Start", blank<StartRequest>(), seconds(5)))->pid,
            7u);
  const auto refused = client->call<StartResponse>("s", "Start", blank<StartRequest>(), seconds(5));
  EXPECT_EQ(refused.error().code, EEXIST);
  EXPECT_EQ(refused.error().text, "c1 is there");
}

TEST_F(ClientTest, ALateAnswerIsPassedOver) {
  serve({"", answer_frame(1, "late") + answer_frame(3, "right")});
  const auto late = client->call("s", "Slow", {}, milliseconds(5));
  EXPECT_EQ(late.error().code, ETIMEDOUT);
  EXPECT_EQ(late.error().text, "Slow: no answer in time");
  EXPECT_EQ(client->call("s", "m", {}, seconds(5))->payload, "right");
}

TEST_F(ClientTest, TheEndOfTheConnectionIsAnError) {
  serve({answer_frame(1, "one").substr(0, 12)}, true);
  const auto cut = client->call("s", "m", {}, seconds(5));
  EXPECT_EQ(cut.error().code, ECONNRESET);
  EXPECT_EQ(cut.error().text, "m: the connection has ended without an answer");
  EXPECT_EQ(client->call("s", "m", {}, seconds(5)).error().text, "the connection has ended");
}

TEST_F(ClientTest, AnAnswerThatIsNoneIsAnError) {
  std::string frame = answer_frame(1, "x");
  frame[kHeaderSize] = '\x0b';
  serve({frame});
  EXPECT_FALSE(client->call("s", "m", {}, seconds(5)));
}

TEST_F(ClientTest, AnAnswerInSmallPiecesIsWhole) {
  const std::string frame = answer_frame(1, std::string(100, 'x'));
  thread = std::thread([&] {
    for (char c : frame) {
      (void)sys::send_some(server, std::string_view(&c, 1));
      std::this_thread::yield();
    }
  });
  EXPECT_EQ(client->call("s", "m", {}, seconds(5))->payload.size(), 100u);
}

TEST_F(ClientTest, AServerThatDoesNotReadIsGivenUpInTime) {
  const auto done = client->call("s", "m", std::string(3 << 20, 'x'), milliseconds(5));
  EXPECT_EQ(done.error().code, ETIMEDOUT);
  // Half a request is on its way: nothing more can be said here.
  EXPECT_EQ(client->call("s", "m", {}, seconds(5)).error().code, ECONNRESET);
}

TEST_F(ClientTest, NobodyListens) {
  EXPECT_EQ(Client::connect("/nonexistent/shim.sock").error().code, ENOENT);
}

}  // namespace
}  // namespace ocirt::wire
