// A container of a pod ends: what becomes of it, when, and that nobody else notices.
#include <signal.h>
#include <sys/mount.h>

#include "tests/pods/pod_fixture.h"

namespace harness {
namespace {

using ocirt::pod::ContainerStatus;
using ocirt::pod::EndReason;
using ocirt::pod::Phase;
using ocirt::pod::PodStatus;
using ocirt::pod::RestartPolicy;

using PodRestarts = PodTest;

// Times of the lines of a log, in milliseconds.
std::vector<int64_t> times_of(const TestPod& pod, const std::string& container) {
  std::vector<int64_t> times;
  if (!exists(pod.layout().log(container))) return times;
  for (const std::string& line : lines(read_file(pod.layout().log(container)))) {
    tm parts{};
    const char* rest = ::strptime(line.c_str(), "%Y-%m-%dT%H:%M:%S.", &parts);
    if (rest == nullptr) continue;
    times.push_back(int64_t{::timegm(&parts)} * 1000 +
                    std::stoll(std::string(rest, 9)) / 1'000'000);
  }
  return times;
}

TEST_F(PodRestarts, OnlyTheContainerWhoseProcessIsKilledIsStartedAgain) {
  TestPod pod(pods_root(), new_name());
  pod.add("a", "sleep 60").restart = RestartPolicy::kAlways;
  pod.add("b", "sleep 60").restart = RestartPolicy::kAlways;
  pod.launch();
  const ContainerStatus a = pod.container("a"), b = pod.container("b");
  ASSERT_GT(a.process.pid, 0);
  ASSERT_EQ(::kill(a.process.pid, SIGKILL), 0);
  ASSERT_TRUE(eventually([&] {
    const ContainerStatus now = pod.container("a");
    return now.state.running && now.restart_count == 1;
  }));
  const ContainerStatus again = pod.container("a");
  EXPECT_NE(again.process.pid, a.process.pid);
  EXPECT_EQ(again.last_terminated->exit_code, 137);
  EXPECT_EQ(again.last_terminated->signal, SIGKILL);
  EXPECT_EQ(again.last_terminated->reason, EndReason::kError);
  EXPECT_EQ(again.last_terminated->started_at, a.state.running->started_at);
  EXPECT_EQ(pod.container("b"), b);
  EXPECT_EQ(pod.status().phase, Phase::kRunning);
}

TEST_F(PodRestarts, TheFirstComesAtOnceAndTheNextOnesEverLater) {
  TestPod pod(pods_root(), new_name());
  pod.pod.restart_backoff_ms = 200;
  pod.pod.restart_backoff_max_ms = 400;
  pod.add("a", "echo here; exit 1").restart = RestartPolicy::kAlways;
  pod.launch();
  ASSERT_TRUE(eventually([&] { return times_of(pod, "a").size() >= 5; }));
  const std::vector<int64_t> at = times_of(pod, "a");
  EXPECT_GE(at[2] - at[1], 200);
  EXPECT_GE(at[3] - at[2], 400);
  EXPECT_GE(at[4] - at[3], 400);
  // How long at most is not the clock's to say, on a machine that is busy: what was decided is
  // told.
  std::string waits;
  for (const std::string& line : lines(pod.events())) {
    const size_t at_word = line.find("restart ");
    if (line.find("\"BackOff\"") != std::string::npos && waits.size() < 30)
      waits += line.substr(at_word, line.find(" ms", at_word) - at_word) + ";";
  }
  EXPECT_EQ(waits, "restart 200;restart 400;restart 400;") << "the first comes at once";
}

TEST_F(PodRestarts, AWaitIsToldInTheStatus) {
  TestPod pod(pods_root(), new_name());
  pod.pod.restart_backoff_ms = pod.pod.restart_backoff_max_ms = 60000;
  pod.add("a", "exit 4").restart = RestartPolicy::kOnFailure;
  pod.launch();
  ASSERT_TRUE(pod.becomes([](const PodStatus& status) {
    const auto& waiting = status.containers[0].state.waiting;
    return waiting && waiting->reason == ocirt::pod::WaitingReason::kCrashLoopBackOff;
  }));
  EXPECT_EQ(pod.container("a").restart_count, 1u);
  EXPECT_EQ(pod.container("a").last_terminated->exit_code, 4);
  EXPECT_NE(pod.events().find("\"BackOff\""), std::string::npos);
  ASSERT_EQ(pod.stop(5), "") << "a pod that waits can be stopped";
  EXPECT_EQ(pod.status().phase, Phase::kFailed);
}

// What is left of an instance is taken away before the next one is made, however late that works.
TEST_F(PodRestarts, AnInstanceThatCannotBeRemovedIsTriedAgain) {
  TestPod pod(pods_root(), new_name());
  pod.pod.restart_backoff_ms = 100;
  pod.pod.restart_backoff_max_ms = 100;
  pod.add("a", "exec sleep 60").restart = RestartPolicy::kAlways;
  pod.launch();
  const std::string obstacle = pod.layout().runtime_root() + "/a/notify/obstacle";
  make_directories(obstacle);
  ASSERT_EQ(::mount("tmpfs", obstacle.c_str(), "tmpfs", 0, nullptr), 0);
  ::kill(pod.container("a").process.pid, SIGKILL);
  EXPECT_TRUE(pod.becomes([](const PodStatus& status) {
    const auto& waiting = status.find("a")->state.waiting;
    return waiting && waiting->message.find("busy") != std::string::npos;
  }));
  ASSERT_EQ(::umount2(obstacle.c_str(), MNT_DETACH), 0);
  EXPECT_TRUE(pod.becomes([](const PodStatus& status) {
    return status.find("a")->restart_count == 1 && status.find("a")->state.running;
  }));
}

TEST_F(PodRestarts, SuccessIsTheEndUnderOnFailure) {
  TestPod pod(pods_root(), new_name());
  pod.add("a", "test -e /been && exit 0; touch /been; exit 1").restart = RestartPolicy::kOnFailure;
  pod.launch();
  ASSERT_TRUE(
      pod.becomes([](const PodStatus& status) { return status.phase == Phase::kSucceeded; }));
  EXPECT_EQ(pod.container("a").restart_count, 1u);
  EXPECT_EQ(pod.container("a").state.terminated->reason, EndReason::kCompleted);
}

}  // namespace
}  // namespace harness
