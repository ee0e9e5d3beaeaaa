#include "src/wire/service.h"

#include <gtest/gtest.h>

#include "src/wire/client.h"
#include "src/wire/envelope.h"

namespace ocirt::wire {
namespace {

struct Tasks {
  void start(const StartRequest& request, Call& call) {
    auto answer = blank<StartResponse>();
    answer.pid = std::string_view(request.id) == "c1" ? 17 : 0;
    call.reply.send(answer);
  }
  void kill(const KillRequest&, Call& call) { call.reply.done(); }
};

constexpr Method<Tasks> kTasks[] = {
    method<&Tasks::start>("Start"),
    method<&Tasks::kill>("Kill"),
};

class ServiceTest : public testing::Test {
 protected:
  void handle(Call& call) {
    if (call.service == kTaskV3) return dispatch(kTasks, tasks, call);
    no_such_service(call);
  }

  Answer call(std::string_view service, std::string_view method, std::string_view payload) {
    auto [mine, its] = *sys::stream_pair();
    EXPECT_TRUE(server.serve(std::move(its)));
    EXPECT_TRUE(sys::send_some(mine, *request_frame(1, {service, method, payload, {}}, {})));
    EXPECT_TRUE(loop->turn());
    char buffer[4096];
    const size_t got = (*sys::read_some(mine, buffer)).value_or(0);
    std::string_view bytes(buffer, got);
    FrameReader reader;
    return *read_answer(reader.next(bytes)->payload);
  }

  std::unique_ptr<sys::EventLoop> loop = *sys::EventLoop::open();
  Tasks tasks;
  Server server{*loop, Callback<Call&>::to<&ServiceTest::handle>(*this)};
};

TEST_F(ServiceTest, ParsesTheRequestAndCallsTheMethod) {
  auto request = blank<StartRequest>();
  request.id = lend("c1");
  const Answer answer = call(kTaskV3, "Start", pack(request));
  EXPECT_EQ((*parse<StartResponse>(answer.payload))->pid, 17u);
}

TEST_F(ServiceTest, AnAnswerWithoutFieldsIsEmpty) {
  const Answer answer = call(kTaskV3, "Kill", "");
  EXPECT_EQ(answer.code, Code::kOk);
  EXPECT_EQ(answer.payload, "");
}

TEST_F(ServiceTest, AMalformedRequestIsAnInvalidArgument) {
  const Answer answer = call(kTaskV3, "Start", "\x0a\x05xy");
  EXPECT_EQ(answer.code, Code::kInvalidArgument);
  EXPECT_EQ(answer.text, "StartRequest: field 1: malformed");
}

TEST_F(ServiceTest, AnUnknownMethodIsUnimplemented) {
  const Answer answer = call(kTaskV3, "Events\n", "");
  EXPECT_EQ(answer.code, Code::kUnimplemented);
  EXPECT_EQ(answer.text, "containerd.task.v3.Task has no method \"Events\\n\"");
}

TEST_F(ServiceTest, AnUnknownServiceIsUnimplemented) {
  const Answer answer = call(kTaskV2, "Start", "");
  EXPECT_EQ(answer.code, Code::kUnimplemented);
  EXPECT_EQ(answer.text, "there is no service \"containerd.task.v2.Task\"");
}

}  // namespace
}  // namespace ocirt::wire
