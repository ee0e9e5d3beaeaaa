// Shims that are killed, callers that go away, and pods that cannot be made: what lives goes on,
// and what is half made leaves nothing behind (the fixture looks for processes, mounts and
// cgroups).
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/wire/any.h"
#include "src/wire/service.h"
#include "tests/pods/pod_fixture.h"

namespace harness {
namespace {

namespace wire = ocirt::wire;
using ocirt::pod::EndReason;
using ocirt::pod::Phase;
using ocirt::pod::PodStatus;
using ocirt::pod::RestartPolicy;

using PodCrash = PodTest;

TEST_F(PodCrash, KilledShimTakesNoContainerWithItAndAnotherAdoptsThem) {
  TestPod pod(pods_root(), new_name());
  pod.add("one", "i=0; while :; do echo $i; i=$((i+1)); sleep 0.02; done");
  pod.add("two", "exec sleep 60").restart = RestartPolicy::kAlways;
  pod.launch();
  ASSERT_TRUE(pod.log_has("one", "3\n"));
  const auto one = pod.container("one").process, two = pod.container("two").process;
  pod.kill_shim();
  sleep_ms(100);
  EXPECT_EQ(::kill(one.pid, 0), 0);
  EXPECT_EQ(::kill(two.pid, 0), 0);
  EXPECT_OK(pod.shim({"--adopt"}));
  EXPECT_EQ(pod.container("one").process, one);
  EXPECT_EQ(pod.container("two").process, two);
  EXPECT_EQ(pod.exec_shell("one", "hostname"), "pod-host");
  // Not a line is lost.
  const size_t before = lines(pod.log("one")).size();
  EXPECT_TRUE(eventually([&] { return lines(pod.log("one")).size() > before + 3; }));
  const std::vector<std::string> said = lines(pod.log("one"));
  for (size_t i = 0; i < said.size(); ++i) ASSERT_EQ(said[i], std::to_string(i));
  // And it supervises, also where nobody reaps orphans: a test that waits does not.
  auto kill = wire::blank<wire::KillRequest>();
  kill.id = wire::lend("two");
  kill.signal = SIGKILL;
  EXPECT_TRUE(pod.call<wire::Empty>(wire::kTaskV3, "Kill", kill));
  EXPECT_TRUE(pod.becomes([](const PodStatus& status) {
    return status.find("two")->restart_count == 1 && status.find("two")->state.running;
  }));
  EXPECT_EQ(pod.stop(1), "");
  EXPECT_EQ(pod.shutdown(), "");
}

TEST_F(PodCrash, ShimThatIsNeverAskedForAPodEndsAlsoWhileSomebodyIsConnected) {
  TestPod pod(pods_root(), new_name());
  pod.add("c", "exec sleep 60");
  pod.save();
  ASSERT_OK(pod.shim({"--patience", "1"}));
  const wire::Client idle = pod.client();
  EXPECT_TRUE(eventually([&] { return pod.shim_pid() == 0; }));
  EXPECT_FAILS(pod.shim({"--patience", "soon"}), 1, "--patience: expected a number of seconds");
}

TEST_F(PodCrash, HookOfAKilledShimEndsWithIt) {
  TestPod pod(pods_root(), new_name());
  pod.add("c", "exec sleep 60");
  const std::string said = scratch() + "/hook";
  pod.bundle("c").set("hooks.createRuntime",
                      ocirt::cat(R"([{"path":"/bin/sh","args":["sh","-c","echo $$ > )", said,
                                 R"(; while :; do sleep 0.1; done"]}])"));
  ASSERT_EQ(pod.create(), "");
  const pid_t starting = in_background([&] { return pod.start().empty(); });
  ASSERT_TRUE(eventually([&] { return exists(said) && !read_file(said).empty(); }));
  const pid_t hook = std::stoi(read_file(said));
  pod.kill_shim();
  ::waitpid(starting, nullptr, 0);
  EXPECT_TRUE(wait_for_end(hook)) << "it would go on for nobody";
  EXPECT_OK(pod.shim({"--remove"}));
}

TEST_F(PodCrash, ExitCodeOfAnAdoptedContainerIsKnownWhereTheKernelKeepsIt) {
  TestPod pod(pods_root(), new_name());
  pod.add("c", "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done");
  pod.launch();
  ASSERT_TRUE(pod.log_has("c", "ready"));
  const pid_t init = pod.container("c").process.pid;
  pod.kill_shim();
  ASSERT_OK(pod.shim({"--adopt"}));
  ::kill(init, SIGTERM);
  // The test program inherits it, and reaps.
  ASSERT_TRUE(eventually([&] {
    reap_orphans();
    return pod.container("c").state.terminated.has_value();
  }));
  const auto end = *pod.container("c").state.terminated;
  EXPECT_TRUE(end.exit_code == 9 || end.reason == EndReason::kUnknown) << end.exit_code;
}

TEST_F(PodCrash, PausedContainerIsAdoptedAsSuch) {
  TestPod pod(pods_root(), new_name());
  pod.add("c", "exec sleep 60");
  pod.launch();
  auto pause = wire::blank<wire::PauseRequest>();
  pause.id = wire::lend("c");
  ASSERT_TRUE(pod.call<wire::Empty>(wire::kTaskV3, "Pause", pause));
  pod.kill_shim();
  ASSERT_OK(pod.shim({"--adopt"}));
  EXPECT_SAYS(pod.exec("c", {"true"}).err, "paused");
  auto resume = wire::blank<wire::ResumeRequest>();
  resume.id = wire::lend("c");
  ASSERT_TRUE(pod.call<wire::Empty>(wire::kTaskV3, "Resume", resume));
  EXPECT_EQ(pod.exec_shell("c", "echo fine"), "fine");
}

TEST_F(PodCrash, ContainerThatEndedWithoutAShimIsReportedAsUnknown) {
  TestPod pod(pods_root(), new_name());
  pod.add("c", "exec sleep 60");
  pod.launch();
  const pid_t init = pod.container("c").process.pid;
  pod.kill_shim();
  ::kill(init, SIGKILL);
  ASSERT_TRUE(wait_for_end(init));
  ASSERT_OK(pod.shim({"--adopt"}));
  ASSERT_TRUE(pod.becomes([](const PodStatus& status) { return !status.finished_at.empty(); }));
  EXPECT_EQ(pod.container("c").state.terminated->reason, EndReason::kUnknown);
}

TEST_F(PodCrash, EndedPodCanBeAdoptedAndRemoved) {
  TestPod pod(pods_root(), new_name());
  pod.add("c", "exit 3");
  pod.launch();
  ASSERT_TRUE(pod.becomes([](const PodStatus& status) { return !status.finished_at.empty(); }));
  pod.kill_shim();
  ASSERT_OK(pod.shim({"--adopt"}));
  EXPECT_EQ(pod.status().phase, Phase::kFailed);
  EXPECT_EQ(pod.container("c").state.terminated->exit_code, 3);
  EXPECT_EQ(pod.shutdown(), "");
}

TEST_F(PodCrash, PodOfADeadShimIsRemovedWithItsContainers) {
  TestPod pod(pods_root(), new_name());
  pod.add("c", "exec sleep 60");
  pod.pod.share_pid = true;
  pod.launch();
  const pid_t init = pod.container("c").process.pid;
  pod.kill_shim();
  EXPECT_OK(pod.shim({"--remove"}));
  EXPECT_TRUE(wait_for_end(init));
  EXPECT_FALSE(exists(pod.layout().directory()));
  EXPECT_FALSE(exists(ocirt::pod::network_pin(pod.name())));
}

TEST_F(PodCrash, APodHasOneShim) {
  TestPod pod(pods_root(), new_name());
  pod.add("c", "exec sleep 60");
  pod.launch();
  EXPECT_FAILS(pod.shim(), 1, "has a shim already");
  EXPECT_FAILS(pod.shim({"--adopt"}), 1, "has a shim already");
  EXPECT_FAILS(pod.shim({"--remove"}), 1, "has a shim already");
  EXPECT_TRUE(pod.container("c").state.running.has_value());
}

TEST_F(PodCrash, WhatCannotBeMadeIsUndoneAndSaysWhy) {
  TestPod pod(pods_root(), new_name());
  auto& spec = pod.add("c", "exec sleep 60");
  spec.rootfs = ocirt::pod::Rootfs{.source = "/no/such/directory"};
  pod.pod.share_pid = true;
  EXPECT_SAYS(pod.create(), "containers: c: rootfs");
  EXPECT_TRUE(eventually([&] { return pod.shim_pid() == 0; }));
  EXPECT_FALSE(exists(pod.layout().directory()));
  EXPECT_FALSE(exists(ocirt::pod::network_pin(pod.name())));
}

TEST_F(PodCrash, PodWhoseCallerGoesAwayIsNotMade) {
  TestPod pod(pods_root(), new_name());
  pod.add("c", "exec sleep 60");
  pod.save();
  ASSERT_OK(pod.shim());
  const std::string json = ocirt::pod::write_pod(pod.pod);
  const wire::AnyValue value{std::string(wire::kPodUrl), json};
  wire::Any any = value.lend();
  auto request = wire::blank<wire::CreateSandboxRequest>();
  request.sandbox_id = wire::lend(pod.pod.name);
  request.options = &any;
  // The shim reads nothing before the caller has gone, however late that one gets its processor.
  const pid_t shim = pod.shim_pid();
  ASSERT_EQ(::kill(shim, SIGSTOP), 0);
  {
    wire::Client caller = pod.client();
    (void)caller.call(wire::kSandboxV1, "CreateSandbox", wire::pack(request),
                      std::chrono::milliseconds(1));
  }
  ASSERT_EQ(::kill(shim, SIGCONT), 0);
  EXPECT_TRUE(eventually([&] { return pod.shim_pid() == 0; }));
  EXPECT_FALSE(exists(pod.layout().directory()));
}

// At any point of its making, and of its life.
TEST_F(PodCrash, ShimThatIsKilledAtAnyTimeLeavesWhatRemoveTakesAway) {
  for (int delay_us = 0; delay_us < 60000; delay_us += 4000) {
    TestPod pod(pods_root(), new_name());
    pod.add("init", "true", ocirt::pod::Role::kInit);
    pod.add("c", "exec sleep 60");
    pod.save();
    ASSERT_OK(pod.shim());
    const pid_t shim = pod.shim_pid();
    const pid_t killer = ::fork();
    if (killer == 0) {
      ::usleep(static_cast<useconds_t>(delay_us));
      ::kill(shim, SIGKILL);
      ::_exit(0);
    }
    const std::string json = ocirt::pod::write_pod(pod.pod);
    const wire::AnyValue value{std::string(wire::kPodUrl), json};
    wire::Any any = value.lend();
    auto request = wire::blank<wire::CreateSandboxRequest>();
    request.sandbox_id = wire::lend(pod.pod.name);
    request.options = &any;
    if (ocirt::Result<wire::Client> client = wire::Client::connect(pod.layout().socket())) {
      if (client->call<wire::CreateSandboxResponse>(wire::kSandboxV1, "CreateSandbox", request,
                                                    std::chrono::seconds(10))) {
        auto start = wire::blank<wire::StartSandboxRequest>();
        start.sandbox_id = wire::lend(pod.pod.name);
        (void)client->call<wire::StartSandboxResponse>(wire::kSandboxV1, "StartSandbox", start,
                                                       std::chrono::seconds(10));
      }
    }
    ::waitpid(killer, nullptr, 0);
    ASSERT_TRUE(wait_for_end(shim));
    EXPECT_OK(pod.shim({"--remove"})) << delay_us;
    EXPECT_FALSE(exists(pod.layout().directory())) << delay_us;
    EXPECT_FALSE(exists(ocirt::pod::network_pin(pod.name()))) << delay_us;
    EXPECT_EQ(cgroups::leftovers(), std::vector<std::string>()) << delay_us;
  }
}

}  // namespace
}  // namespace harness
