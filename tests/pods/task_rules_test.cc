// What the Task service answers in which state: the codes and words by which containerd's clients
// decide (docs/design.md, "A pod's shim"), and what it does to a container that runs.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "src/base/text.h"
#include "tests/pods/task_fixture.h"

namespace harness {
namespace {

namespace wire = ocirt::wire;
using ocirt::cat;
using wire::Code;

class TaskRules : public TaskTest {
 protected:
  // Method, code and text that has to be in the answer.
  void expect(std::string_view method, Code code, std::string_view text,
              const std::string& exec_id = "") {
    const wire::Answer answer = ask(method, exec_id);
    EXPECT_EQ(answer.code, code) << method << ": " << answer.text;
    EXPECT_SAYS(answer.text, text);
  }
  void expect(const wire::Answer& answer, Code code, std::string_view text) {
    EXPECT_EQ(answer.code, code) << answer.text;
    EXPECT_SAYS(answer.text, text);
  }
  std::vector<pid_t> pids() {
    std::vector<pid_t> all;
    auto answer = read<wire::PidsResponse>(ask("Pids"));
    for (size_t i = 0; i < answer->n_processes; ++i)
      all.push_back(static_cast<pid_t>(answer->processes[i]->pid));
    return all;
  }
};

TEST_F(TaskRules, BeforeItIsCreatedNothingIsFound) {
  for (const char* method : {"State", "Start", "Delete", "Pids", "Pause", "Resume", "Kill", "Exec",
                             "ResizePty", "CloseIO", "Update", "Wait", "Stats", "Connect"})
    expect(method, Code::kNotFound, "\"c\": not found");
}

TEST_F(TaskRules, OfACreatedContainer) {
  bundle.shell("exec sleep 60");
  ASSERT_EQ(create().code, Code::kOk);
  EXPECT_EQ(status(), TYPES__STATUS__CREATED);
  expect(create(), Code::kAlreadyExists, "already exists");
  expect("Pause", Code::kFailedPrecondition, "not running");
  expect("Resume", Code::kFailedPrecondition, "not paused");
  EXPECT_EQ(update("{}").code, Code::kOk);
  EXPECT_EQ(exec({}).code, Code::kOk);
  EXPECT_EQ(status("e"), TYPES__STATUS__CREATED);
  EXPECT_EQ(ask("Delete", "e").code, Code::kOk);
  // Without having been started.
  EXPECT_EQ(ask("Delete").code, Code::kOk);
  expect("Delete", Code::kNotFound, "not found");
}

TEST_F(TaskRules, OfARunningContainer) {
  bundle.shell("exec sleep 60");
  launch();
  EXPECT_EQ(status(), TYPES__STATUS__RUNNING);
  expect("Start", Code::kFailedPrecondition, "cannot start a running process");
  expect("Delete", Code::kFailedPrecondition, "cannot delete a running process");
  expect("Resume", Code::kFailedPrecondition, "not paused");
  expect("Checkpoint", Code::kUnimplemented, "not supported");
  expect("Stats", Code::kOk, "");
  expect(resize(80, 25), Code::kInvalidArgument, "no terminal");
  expect(update(R"({"memory": {"limit": "much"}})"), Code::kUnknown, "memory.limit");
  auto connected = read<wire::ConnectResponse>(ask("Connect"));
  EXPECT_EQ(static_cast<pid_t>(connected->shim_pid), shim());
  EXPECT_EQ(static_cast<pid_t>(connected->task_pid), pid());
  finish();
}

TEST_F(TaskRules, OfAPausedContainer) {
  bundle.shell("while :; do usleep 1000; done");
  launch();
  EXPECT_EQ(ask("Pause").code, Code::kOk);
  EXPECT_EQ(status(), TYPES__STATUS__PAUSED);
  expect("Pause", Code::kFailedPrecondition, "paused");
  expect("Delete", Code::kFailedPrecondition, "cannot delete a paused process");
  expect(exec({}), Code::kFailedPrecondition, "cannot exec in a paused container");
  EXPECT_EQ(ask("Resume").code, Code::kOk);
  EXPECT_EQ(status(), TYPES__STATUS__RUNNING);
  EXPECT_EQ(ask("Pause").code, Code::kOk);
  // SIGKILL reaches it all the same.
  finish();
}

TEST_F(TaskRules, OfAContainerThatHasEnded) {
  bundle.shell("exit 9");
  launch();
  const pid_t before = pid();
  EXPECT_EQ(wait(), 9);
  EXPECT_EQ(status(), TYPES__STATUS__STOPPED);
  EXPECT_EQ(wait(), 9);  // until Delete, at once
  expect("Start", Code::kFailedPrecondition, "cannot start a stopped process");
  expect(kill(SIGTERM), Code::kNotFound, "process already finished");
  expect(kill(SIGKILL, "", true), Code::kNotFound, "process already finished");
  expect(exec({}), Code::kFailedPrecondition, "cannot exec in a stopped container");
  expect("Pause", Code::kFailedPrecondition, "stopped");
  expect(update("{}"), Code::kFailedPrecondition, "stopped");
  // A daemon that has been restarted must not take it for one that was never made.
  EXPECT_EQ(pids(), std::vector<pid_t>{before});
  auto removed = read<wire::DeleteResponse>(ask("Delete"));
  EXPECT_EQ(removed->exit_status, 9u);
  EXPECT_EQ(static_cast<pid_t>(removed->pid), before);
  ASSERT_NE(removed->exited_at, nullptr);
  expect("Delete", Code::kNotFound, "not found");
  expect("Wait", Code::kNotFound, "not found");
}

TEST_F(TaskRules, OfAProgramThatIsNotThere) {
  bundle.args({"/no/such/program"});
  wire::Answer answer = create();
  if (answer.code == Code::kOk) {
    answer = ask("Start");
    EXPECT_SAYS(answer.text, "/no/such/program");
    EXPECT_NE(answer.code, Code::kOk);
    EXPECT_GE(wait(), 126);
    EXPECT_EQ(ask("Delete").code, Code::kOk);
  }
  bundle.shell("exec sleep 60");
  launch();
  ASSERT_EQ(exec({.args = {"/no/such/program"}}).code, Code::kOk);
  expect("Start", Code::kUnknown, "/no/such/program", "e");
  EXPECT_EQ(wait("e"), 255);
  EXPECT_EQ(ask("Delete", "e").code, Code::kOk);
  finish();
}

TEST_F(TaskRules, AnExecHasItsOwnLife) {
  bundle.shell("exec sleep 60");
  launch();
  expect("Start", Code::kNotFound, "\"e\"", "e");
  ASSERT_EQ(exec({.args = {"sleep", "60"}}).code, Code::kOk);
  expect(exec({}), Code::kAlreadyExists, "already exists");
  expect(kill(SIGKILL, "e"), Code::kFailedPrecondition, "not been started");
  auto started = read<wire::StartResponse>(ask("Start", "e"));
  expect("Start", Code::kFailedPrecondition, "cannot start a running process", "e");
  expect("Delete", Code::kFailedPrecondition, "cannot delete a running process", "e");
  // Pids says which of them it is.
  auto listed = read<wire::PidsResponse>(ask("Pids"));
  ASSERT_EQ(listed->n_processes, 2u);
  for (size_t i = 0; i < 2; ++i) {
    const wire::ProcessInfo& row = *listed->processes[i];
    if (row.pid != started->pid) {
      EXPECT_EQ(row.info, nullptr);
      continue;
    }
    ASSERT_NE(row.info, nullptr);
    EXPECT_STREQ((*wire::parse_any<wire::ProcessDetails>(row.info))->exec_id, "e");
  }
  EXPECT_EQ(kill(SIGTERM, "e").code, Code::kOk);
  EXPECT_EQ(wait("e"), 128 + SIGTERM);
  expect(kill(SIGTERM, "e"), Code::kNotFound, "process already finished");
  EXPECT_EQ(status(), TYPES__STATUS__RUNNING);
  EXPECT_EQ(ask("Delete", "e").code, Code::kOk);
  expect("Delete", Code::kNotFound, "", "e");
  finish();
}

// The init's end is everybody's, and is told of last.
TEST_F(TaskRules, AnExecEndsWithItsContainerAndIsToldOfFirst) {
  bundle.shell("exec sleep 60");
  launch();
  ASSERT_EQ(exec({.args = {"sleep", "60"}}).code, Code::kOk);
  ASSERT_EQ(exec({.id = "unstarted"}).code, Code::kOk);
  ASSERT_EQ(ask("Start", "e").code, Code::kOk);
  RawClient client(socket());
  ASSERT_TRUE(client.send(RawClient::request(1, wire::kTaskV2, "Wait", state_request("c")) +
                          RawClient::request(3, wire::kTaskV2, "Wait", state_request("c", "e"))));
  EXPECT_EQ(kill(SIGKILL).code, Code::kOk);
  EXPECT_EQ(client.next().stream, 3u);
  EXPECT_EQ(client.next().stream, 1u);
  expect("Start", Code::kFailedPrecondition, "cannot exec in a stopped container", "unstarted");
  EXPECT_EQ(wait("e"), 128 + SIGKILL);
  EXPECT_EQ(ask("Delete").code, Code::kOk);
  expect("Wait", Code::kNotFound, "not found", "e");
}

TEST_F(TaskRules, KillAllReachesEverybody) {
  bundle.shell("sleep 60 & sleep 61 & trap '' TERM; echo ready; while :; do usleep 10000; done");
  Fifo out(scratch() + "/out");
  launch({.out = out.path()});
  out.read_until("ready");
  EXPECT_TRUE(eventually([&] { return pids().size() >= 3; }));
  EXPECT_EQ(kill(SIGTERM, "", true).code, Code::kOk);
  // The init ignores it; the others do not.
  EXPECT_TRUE(eventually([&] { return pids().size() <= 2; }));
  EXPECT_EQ(status(), TYPES__STATUS__RUNNING);
  finish();
}

TEST_F(TaskRules, UpdateChangesLimits) {
  struct {
    const char* controller;
    const char* json;
    const char* file;
    const char* value;
  } const kinds[] = {
      {"pids", R"({"pids": {"limit": 77}})", "/pids.max", "77"},
      {"hugetlb", R"({"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}]})",
       "/hugetlb.2MB.max", "4194304"},
  };
  for (const auto& kind : kinds) {
    if (!cgroups::has_controller(kind.controller)) continue;
    bundle.shell("exec sleep 60");
    launch();
    const wire::Answer answer = update(kind.json);
    EXPECT_EQ(answer.code, Code::kOk) << answer.text;
    const std::string group = cgroups::directory(kind.controller, cgroups::test_parent() + "/task");
    EXPECT_EQ(trim(read_file(group + kind.file)), kind.value);
    return finish();
  }
  GTEST_SKIP() << "needs the cgroup controller pids or hugetlb";
}

TEST_F(TaskRules, ContainersAreCreatedSideBySide) {
  constexpr int kMany = 8;
  std::vector<std::unique_ptr<Bundle>> bundles;
  std::vector<std::unique_ptr<RawClient>> clients;
  // Each of them waits for the others', and one after the other they would wait for ever.
  const std::string here = scratch() + "/here";
  make_directories(here);
  const std::string hook = cat("touch ", here, "/$$; until [ $(ls ", here, " | wc -l) = ", kMany,
                               " ]; do sleep 0.01; done");
  for (int i = 0; i < kMany; ++i) {
    const std::string id = cat("c", i);
    bundles.push_back(std::make_unique<Bundle>(cat(scratch(), "/", id)));
    bundles.back()
        ->shell("exit 0")
        .set("hooks", cat(R"({"createRuntime": [{"path": "/bin/sh", "args": ["sh", "-c", ")", hook,
                          R"("]}]})"))
        .save(id);
    auto request = wire::blank<wire::CreateTaskRequest>();
    request.id = wire::lend(id);
    request.bundle = wire::lend(bundles.back()->path());
    clients.push_back(std::make_unique<RawClient>(socket()));
    ASSERT_TRUE(clients.back()->send(RawClient::request(1, wire::kTaskV2, "Create", request)));
  }
  for (auto& client : clients) EXPECT_EQ(client->next().answer.code, Code::kOk);
  for (int i = 0; i < kMany; ++i) {
    EXPECT_EQ(ask("Start", "", cat("c", i)).code, Code::kOk);
    EXPECT_EQ(wait("", cat("c", i)), 0);
    EXPECT_EQ(ask("Delete", "", cat("c", i)).code, Code::kOk);
  }
}

TEST_F(TaskRules, ACreateWhoseClientIsCutOffIsUndone) {
  bundle.shell("exec sleep 60");
  const std::string go = scratch() + "/go";
  bundle.set("hooks", cat(R"({"createRuntime": [{"path": "/bin/sh", "args": ["sh", "-c",
                          "until [ -e )",
                          go, R"( ]; do sleep 0.01; done"]}]})"));
  bundle.save("c");
  auto request = wire::blank<wire::CreateTaskRequest>();
  request.id = wire::lend("c");
  request.bundle = wire::lend(bundle.path());
  RawClient client(socket());
  ASSERT_TRUE(client.send(RawClient::request(1, wire::kTaskV2, "Create", request)));
  ASSERT_TRUE(eventually([&] { return status() >= 0; }));
  client.close();
  EXPECT_EQ(status(), TYPES__STATUS__UNKNOWN);  // by now it has been noticed
  write_file(go, "");
  EXPECT_TRUE(eventually([&] { return status() == -1; }));
  EXPECT_EQ(cgroups::leftovers(), std::vector<std::string>());
}

}  // namespace
}  // namespace harness
