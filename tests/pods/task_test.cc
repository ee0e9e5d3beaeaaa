// The Task service for containers of its own, as containerd uses it: no pod has them.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/wire/any.h"
#include "src/wire/service.h"
#include "tests/pods/pod_fixture.h"

namespace harness {
namespace {

namespace wire = ocirt::wire;

class PodTask : public PodTest {
 protected:
  // A shim without a pod, and a bundle for a container "c" that waits to be created.
  void SetUp() override {
    PodTest::SetUp();
    pod_ = std::make_unique<TestPod>(pods_root(), new_name());
    pod_->save();
    ASSERT_OK(pod_->shim());
    bundle.set("linux.cgroupsPath", "\"" + cgroups::test_parent() + "/task\"").keep_cgroups_path();
  }
  void TearDown() override {
    (void)shutdown();
    EXPECT_TRUE(eventually([&] { return pod_->shim_pid() == 0; }));
    remove_tree(pod_->layout().directory());
    pod_.reset();
    PodTest::TearDown();
  }
  std::string create(const std::string& out = "") {
    bundle.save("c");
    auto request = wire::blank<wire::CreateTaskRequest>();
    request.id = wire::lend("c");
    const std::string path = bundle.path();
    request.bundle = wire::lend(path);
    request.stdout = wire::lend(out);
    return text_of(pod_->call<wire::CreateTaskResponse>(wire::kTaskV2, "Create", request));
  }
  template <wire::Message Response, wire::Message Request>
  ocirt::Result<wire::Owned<Response>> ask(const char* method) {
    auto request = wire::blank<Request>();
    request.id = wire::lend("c");
    return pod_->call<Response>(wire::kTaskV2, method, request);
  }
  std::string start() { return text_of(ask<wire::StartResponse, wire::StartRequest>("Start")); }
  std::string remove() { return text_of(ask<wire::DeleteResponse, wire::DeleteRequest>("Delete")); }
  std::string shutdown() { return text_of(ask<wire::Empty, wire::ShutdownRequest>("Shutdown")); }
  int wait() {
    auto answer = ask<wire::WaitResponse, wire::WaitRequest>("Wait");
    return answer ? static_cast<int>((*answer)->exit_status) : -1;
  }
  int status() {
    auto answer = ask<wire::StateResponse, wire::StateRequest>("State");
    return answer ? static_cast<int>((*answer)->status) : -1;
  }
  std::string kill(int signal) {
    auto request = wire::blank<wire::KillRequest>();
    request.id = wire::lend("c");
    request.signal = static_cast<uint32_t>(signal);
    return text_of(pod_->call<wire::Empty>(wire::kTaskV2, "Kill", request));
  }
  template <class T>
  static std::string text_of(const ocirt::Result<T>& result) {
    return result ? "" : result.error().text;
  }
  // Children of the shim, by the beginning of their name.
  std::vector<pid_t> children() {
    std::vector<pid_t> all;
    const std::string shim = std::to_string(pod_->shim_pid());
    for (const std::string& pid : words(read_file("/proc/" + shim + "/task/" + shim + "/children")))
      all.push_back(std::stoi(pid));
    return all;
  }

  std::unique_ptr<TestPod> pod_;
};

TEST_F(PodTask, GoesThroughTheStatesOfAContainer) {
  bundle.shell("exit 6");
  ASSERT_EQ(create(), "");
  EXPECT_EQ(status(), TYPES__STATUS__CREATED);
  EXPECT_SAYS(create(), "already exists");
  ASSERT_EQ(start(), "");
  EXPECT_EQ(wait(), 6);
  EXPECT_EQ(status(), TYPES__STATUS__STOPPED);
  EXPECT_EQ(wait(), 6);
  EXPECT_EQ(remove(), "");
  EXPECT_SAYS(remove(), "not found");
}

TEST_F(PodTask, OutputGoesToTheClientsFifo) {
  const std::string out = scratch() + "/out";
  ASSERT_EQ(::mkfifo(out.c_str(), 0600), 0);
  const int reader = ::open(out.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  bundle.shell("echo to the fifo");
  ASSERT_EQ(create(out), "");
  ASSERT_EQ(start(), "");
  EXPECT_EQ(wait(), 0);
  char room[100];
  const ssize_t got = ::read(reader, room, sizeof room);
  ASSERT_GT(got, 0);
  EXPECT_EQ(std::string(room, static_cast<size_t>(got)), "to the fifo\n");
  ::close(reader);
  EXPECT_EQ(remove(), "");
}

TEST_F(PodTask, CreatedContainerMayBeKilledAndRemoved) {
  bundle.shell("exec sleep 60");
  ASSERT_EQ(create(), "");
  EXPECT_EQ(kill(SIGKILL), "");
  EXPECT_EQ(wait(), 128 + SIGKILL);
  EXPECT_SAYS(kill(SIGKILL), "process already finished");
  EXPECT_SAYS(start(), "cannot start a stopped process");
  EXPECT_EQ(remove(), "");
}

TEST_F(PodTask, DeleteOfWhatWasOnlyCreatedSaysThatItWasKilled) {
  bundle.shell("exec sleep 60");
  ASSERT_EQ(create(), "");
  const auto answer = ask<wire::DeleteResponse, wire::DeleteRequest>("Delete");
  ASSERT_TRUE(answer);
  EXPECT_EQ((*answer)->exit_status, 128u + SIGKILL);
  ASSERT_NE((*answer)->exited_at, nullptr);
  EXPECT_GT((*answer)->exited_at->seconds, 0);
}

TEST_F(PodTask, WhatCannotBeCreatedLeavesNothingAndMayBeTriedAgain) {
  bundle.with_namespace("network", "/no/such");
  EXPECT_SAYS(create(), "/no/such");
  bundle.with_namespace("network").shell("exit 0");
  EXPECT_EQ(create(), "");
  EXPECT_EQ(start(), "");
  EXPECT_EQ(wait(), 0);
  EXPECT_EQ(remove(), "");
}

TEST_F(PodTask, HookThatHangsHoldsUpNobodyElseAndItsWorkerMayBeKilled) {
  bundle.set("hooks", R"({"createRuntime": [{"path": "/bin/sleep", "args": ["sleep", "60"]}]})");
  bundle.save("c");
  auto request = wire::blank<wire::CreateTaskRequest>();
  request.id = wire::lend("c");
  const std::string path = bundle.path();
  request.bundle = wire::lend(path);
  wire::Client other = pod_->client();
  // It does not answer, or that the time is over.
  ocirt::Result<wire::Answer> answer =
      other.call(wire::kTaskV2, "Create", wire::pack(request), std::chrono::milliseconds(500));
  EXPECT_TRUE(!answer || answer->code == wire::Code::kDeadlineExceeded);
  EXPECT_EQ(status(), TYPES__STATUS__UNKNOWN);  // but this answers
  // The worker and init; the one that has a child of its own, the hook, is the worker.
  const pid_t shim = pod_->shim_pid();
  bool killed = false;
  for (pid_t child : children()) {
    const std::string pid = std::to_string(child);
    if (link_target("/proc/" + pid + "/exe") !=
        link_target("/proc/" + std::to_string(shim) + "/exe"))
      continue;
    killed = ::kill(child, SIGKILL) == 0;
  }
  ASSERT_TRUE(killed);
  EXPECT_TRUE(eventually([&] { return status() == -1; }));  // undone
  EXPECT_EQ(cgroups::leftovers(), std::vector<std::string>());
  bundle.remove("hooks").shell("exit 0");
  EXPECT_EQ(create(), "");
  EXPECT_EQ(start(), "");
  EXPECT_EQ(wait(), 0);
  EXPECT_EQ(remove(), "");
}

}  // namespace
}  // namespace harness
