// Two clients ask for the same thing at once, or for two things of which one undoes the other: as
// with runc's shim one of them gets it, and the other hears what it would have heard afterwards.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>

#include "tests/pods/task_fixture.h"
#include "tests/support/cgroups.h"

namespace harness {
namespace {

namespace wire = ocirt::wire;
using ocirt::cat;
using wire::Code;

class TaskTwice : public TaskTest {
 protected:
  void TearDown() override {
    clients_.clear();
    TaskTest::TearDown();
  }
  // Sends it without waiting for the answer.
  template <wire::Message M>
  RawClient& begin(std::string_view method, const M& request) {
    return begin(method, std::string_view(wire::pack(request)));
  }
  RawClient& begin(std::string_view method, std::string_view payload) {
    clients_.push_back(std::make_unique<RawClient>(socket()));
    EXPECT_TRUE(clients_.back()->send(RawClient::request(1, wire::kTaskV2, method, payload)));
    return *clients_.back();
  }
  // The codes of two answers to the same request, the smaller first.
  std::pair<Code, Code> both(std::string_view method, std::string_view payload) {
    RawClient& one = begin(method, payload);
    RawClient& other = begin(method, payload);
    const Code codes[] = {one.next().answer.code, other.next().answer.code};
    return std::minmax(codes[0], codes[1]);
  }

  // A poststop hook that leaves a line and then waits for let_go().
  void save_with_slow_end() {
    ASSERT_EQ(0, ::mkfifo(gate().c_str(), 0600));
    bundle.shell("exec sleep 60")
        .set("hooks", cat(R"({"poststop": [{"path": "/bin/sh", "args": ["sh", "-c", "echo x >>)",
                          ends(), "; read x <", gate(), R"("]}]})"))
        .save("c");
  }
  void let_go() {
    const ocirt::UniqueFd to(::open(gate().c_str(), O_WRONLY | O_CLOEXEC));
    EXPECT_EQ(::write(to.raw(), "\n", 1), 1);
  }
  std::string gate() const { return scratch() + "/gate"; }
  std::string ends() const { return scratch() + "/ends"; }

 private:
  std::vector<std::unique_ptr<RawClient>> clients_;
};

TEST_F(TaskTwice, ADeleteDuringADeleteIsTooLateAndRemovesNothing) {
  save_with_slow_end();
  ASSERT_EQ(create().code, Code::kOk);
  RawClient& first = begin("Delete", state_request("c"));
  ASSERT_TRUE(eventually([&] { return exists(ends()); }));
  RawClient& second = begin("Delete", state_request("c"));
  EXPECT_TRUE(second.is_quiet_for(std::chrono::milliseconds(100)));
  let_go();
  const wire::Answer done = first.next().answer;
  EXPECT_EQ(done.code, Code::kOk) << done.text;
  EXPECT_GT(read<wire::DeleteResponse>(done)->pid, 0u);
  const wire::Answer late = second.next().answer;
  EXPECT_EQ(late.code, Code::kNotFound) << late.text;
  EXPECT_EQ(lines(read_file(ends())).size(), 1u);
  // What has the name now is another container, and stays.
  bundle.remove("hooks").save("c");
  ASSERT_EQ(create().code, Code::kOk);
  EXPECT_EQ(ask("Start").code, Code::kOk);
  finish();
}

TEST_F(TaskTwice, WhatIsBeingRemovedIsNotFoundByWhoWouldChangeIt) {
  save_with_slow_end();
  ASSERT_EQ(create().code, Code::kOk);
  RawClient& removal = begin("Delete", state_request("c"));
  ASSERT_TRUE(eventually([&] { return exists(ends()); }));
  EXPECT_EQ(ask("Start").code, Code::kNotFound);
  EXPECT_EQ(kill(SIGKILL, "", true).code, Code::kNotFound);
  EXPECT_EQ(exec({.id = "e"}).code, Code::kNotFound);
  EXPECT_EQ(update("{}").code, Code::kNotFound);
  EXPECT_EQ(create().code, Code::kAlreadyExists);
  let_go();
  EXPECT_EQ(removal.next().answer.code, Code::kOk);
}

TEST_F(TaskTwice, OfTwoCreatesOneMakesIt) {
  bundle.shell("exec sleep 60").save("c");
  auto request = wire::blank<wire::CreateTaskRequest>();
  request.id = wire::lend("c");
  request.bundle = wire::lend(bundle.path());
  EXPECT_EQ(both("Create", wire::pack(request)), std::pair(Code::kOk, Code::kAlreadyExists));
  EXPECT_EQ(ask("Start").code, Code::kOk);
  finish();
}

TEST_F(TaskTwice, OfTwoStartsOneStartsIt) {
  bundle.shell("exec sleep 60").save("c");
  ASSERT_EQ(create().code, Code::kOk);
  EXPECT_EQ(both("Start", state_request("c")), std::pair(Code::kOk, Code::kFailedPrecondition));
  ASSERT_EQ(exec({.id = "e", .args = {"sleep", "60"}}).code, Code::kOk);
  EXPECT_EQ(both("Start", state_request("c", "e")),
            std::pair(Code::kOk, Code::kFailedPrecondition));
  finish();
}

TEST_F(TaskTwice, TwoKillsEndItOnceAndOneOfTwoDeletesOfAnExecRemovesIt) {
  bundle.shell("exec sleep 60").save("c");
  launch();
  ASSERT_EQ(exec({.id = "e", .args = {"sleep", "60"}}).code, Code::kOk);
  ASSERT_EQ(ask("Start", "e").code, Code::kOk);
  for (const std::string exec_id : {"e", ""}) {
    auto request = wire::blank<wire::KillRequest>();
    request.id = wire::lend("c");
    request.exec_id = wire::lend(exec_id);
    request.signal = SIGKILL;
    const auto [one, other] = both("Kill", wire::pack(request));
    EXPECT_EQ(one, Code::kOk);
    EXPECT_TRUE(other == Code::kOk || other == Code::kNotFound) << static_cast<int>(other);
    EXPECT_EQ(wait(exec_id), 128 + SIGKILL);
    EXPECT_EQ(both("Delete", state_request("c", exec_id)), std::pair(Code::kOk, Code::kNotFound));
  }
}

}  // namespace
}  // namespace harness
