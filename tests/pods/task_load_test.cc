// The Task service under weight: long messages, many who wait, connections that are cut while much
// is going on, and what all of that, and a thousand processes, leave in the shim's memory.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>

#include "src/base/text.h"
#include "tests/pods/task_fixture.h"

namespace harness {
namespace {

namespace wire = ocirt::wire;
using ocirt::cat;
using wire::Code;

class TaskLoad : public TaskTest {
 protected:
  void SetUp() override {
    TaskTest::SetUp();
    // A program that was linked a moment ago is dirty in the page cache, and would count.
    const int program = ::open(shim_program().c_str(), O_RDONLY | O_CLOEXEC);
    ::fsync(program);
    ::close(program);
    bundle.shell("exec sleep 60");
  }
  // A request of exactly so many bytes: a field that nobody knows makes it up.
  static std::string padded(std::string request, size_t size) {
    const size_t rest = size - request.size();
    // Field 100, bytes: two bytes of key, and a length of 7 bits each.
    std::string length;
    size_t bytes = rest - 2 - 4;
    for (int i = 0; i < 4; ++i) {
      length += static_cast<char>((bytes & 0x7f) | (i < 3 ? 0x80 : 0));
      bytes >>= 7;
    }
    return cat(request, "\xa2\x06", length, std::string(rest - 6, 'x'));
  }
  // The payload within a frame has an envelope around it.
  static std::string frame(uint32_t stream, size_t size) {
    size_t payload = size;
    for (;;) {
      const std::string text = padded(state_request("c"), payload);
      const std::string bytes = envelope(text);
      if (bytes.size() == size) break;
      payload -= bytes.size() - size;
    }
    std::string bytes(wire::kHeaderSize, '\0');
    wire::encode({static_cast<uint32_t>(size), stream, wire::FrameType::kRequest, 0}, bytes.data());
    return bytes + envelope(padded(state_request("c"), payload));
  }
  static std::string envelope(const std::string& payload) {
    auto request = wire::blank<wire::ttrpc::Request>();
    request.service = wire::lend("containerd.task.v2.Task");
    request.method = wire::lend("State");
    request.payload = wire::lend_bytes(payload);
    return wire::pack(request);
  }
};

TEST_F(TaskLoad, AMessageMayHave4MiBAndNoByteMore) {
  launch();
  RawClient client(socket());
  const long before = private_kilobytes();
  ASSERT_TRUE(client.send(frame(1, wire::kMaxPayload)));
  EXPECT_EQ(client.next().answer.code, Code::kOk);
  ASSERT_TRUE(client.send(frame(3, wire::kMaxPayload + 1)));
  EXPECT_EQ(client.next().answer.code, Code::kResourceExhausted);
  // The connection goes on, and the memory has been given back.
  EXPECT_EQ(client.call(wire::kTaskV3, "Connect", std::string_view(state_request("c"))).code,
            Code::kInvalidArgument);  // number 1 again
  ASSERT_TRUE(client.send(RawClient::request(5, wire::kTaskV3, "State", state_request("c"))));
  EXPECT_EQ(client.next().answer.code, Code::kOk);
  EXPECT_LE(private_kilobytes(), before + 64);
  finish();
}

TEST_F(TaskLoad, AThousandWhoWaitAllHearOfTheEnd) {
  launch();
  const long before = private_kilobytes();
  std::vector<std::unique_ptr<RawClient>> clients;
  constexpr int kEach = 100;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(std::make_unique<RawClient>(socket()));
    std::string all;
    for (uint32_t call = 0; call < kEach; ++call) {
      all += RawClient::request(2 * call + 1, call % 2 == 0 ? wire::kTaskV2 : wire::kTaskV3, "Wait",
                                state_request("c"));
    }
    // What comes after them is answered, so they have been read.
    all += RawClient::request(2 * kEach + 1, wire::kTaskV2, "State", state_request("c"));
    ASSERT_TRUE(clients.back()->send(all));
    EXPECT_EQ(clients.back()->next().stream, 2u * kEach + 1);
  }
  const long waiting = private_kilobytes();
  EXPECT_LE(waiting, before + 400);  // 0.4 KiB each
  EXPECT_EQ(kill(SIGKILL).code, Code::kOk);
  for (auto& client : clients) {
    for (int call = 0; call < kEach; ++call) {
      const RawClient::Got got = client->next();
      ASSERT_EQ(got.answer.code, Code::kOk) << got.answer.text;
      EXPECT_EQ((*wire::parse<wire::WaitResponse>(got.answer.payload))->exit_status,
                128u + SIGKILL);
    }
  }
  clients.clear();
  EXPECT_EQ(ask("Delete").code, Code::kOk);
}

// At each byte of a whole life that is sent at once, so that calls are under way when it is cut.
TEST_F(TaskLoad, AConnectionMayBeCutWhileItsCallsAreUnderWay) {
  launch();
  const size_t before = descriptors();
  const std::string wait = RawClient::request(1, wire::kTaskV2, "Wait", state_request("c"));
  const std::string all = wait + RawClient::request(3, wire::kTaskV2, "Pids", state_request("c")) +
                          RawClient::request(5, wire::kTaskV3, "Stats", state_request("c")) +
                          RawClient::request(7, wire::kTaskV3, "State", state_request("c"));
  for (size_t size = wait.size(); size <= all.size(); size += 7) {
    RawClient client(socket());
    ASSERT_TRUE(client.send(std::string_view(all).substr(0, size)));
  }
  EXPECT_TRUE(eventually([&] { return descriptors() <= before; }));
  EXPECT_EQ(status(), TYPES__STATUS__RUNNING);
  finish();
}

TEST_F(TaskLoad, OneContainerCostsAtMost500KibAndEachFurtherOne40) {
  launch();
  const long one = private_kilobytes();
  EXPECT_LE(one, 500);
  std::vector<std::unique_ptr<Bundle>> bundles;
  for (int i = 0; i < 4; ++i) {
    const std::string id = cat("c", i), directory = cat(scratch(), "/", id);
    bundles.push_back(std::make_unique<Bundle>(directory));
    bundles.back()->shell("exec sleep 60").save(id);
    launch({.id = id, .bundle = directory});
  }
  const long five = private_kilobytes();
  EXPECT_LE(five - one, 4 * 40);
  std::printf("shim of tasks: %ld KiB private with 1, %ld with 5\n", one, five);
  for (int i = 0; i < 4; ++i) finish(cat("c", i));
  finish();
}

// Streams, rows and answers of each are gone with it. EXECS=1000 for a longer look.
TEST_F(TaskLoad, ProcessesThatHaveGoneLeaveNothing) {
  launch();
  Fifo out(scratch() + "/out");
  auto run = [&](int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_EQ(exec({.out = out.path()}).code, Code::kOk);
      ASSERT_EQ(ask("Start", "e").code, Code::kOk);
      ASSERT_EQ(wait("e"), 0);
      ASSERT_EQ(ask("Delete", "e").code, Code::kOk);
    }
  };
  const char* wanted = std::getenv("EXECS");
  run(20);
  const long before = private_kilobytes();
  const size_t open = descriptors();
  run(wanted != nullptr ? std::atoi(wanted) : 100);
  const long after = private_kilobytes();
  std::printf("shim of tasks: %ld KiB private, %ld after the execs\n", before, after);
  EXPECT_LE(after, before + 8);
  EXPECT_TRUE(eventually([&] { return descriptors() <= open; }));
  finish();
}

}  // namespace
}  // namespace harness
