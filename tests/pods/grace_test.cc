// How a container is asked to end, how long it may take, and what runs around its life.
#include <signal.h>
#include <time.h>

#include "tests/pods/pod_fixture.h"

namespace harness {
namespace {

using ocirt::pod::EndReason;
using ocirt::pod::Phase;
using ocirt::pod::PodStatus;
using ocirt::pod::RestartPolicy;
using ocirt::pod::Role;

class PodGrace : public OnePodTest {
 protected:
  // Stops the pod; how many milliseconds it took.
  int64_t stop(uint32_t seconds) {
    const int64_t begin = now();
    EXPECT_EQ(pod_.stop(seconds), "");
    return now() - begin;
  }
  static int64_t now() {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1'000'000;
  }
  ocirt::pod::Terminated end_of(const std::string& name) {
    return pod_.container(name).state.terminated.value_or(ocirt::pod::Terminated{.exit_code = -1});
  }
  // A script that is ready for the signal when its log says so.
  void launch_and_wait_for(const std::string& name) {
    pod_.launch();
    ASSERT_TRUE(pod_.log_has(name, "ready"));
  }
};

TEST_F(PodGrace, AContainerThatEndsByItselfHasItsOwnExitCode) {
  pod_.add("a", "trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.02; done");
  launch_and_wait_for("a");
  EXPECT_LT(stop(60), 40000);
  EXPECT_EQ(end_of("a").exit_code, 7);
  EXPECT_EQ(end_of("a").signal, 0);
  EXPECT_EQ(pod_.log("a"), "ready\nbye\n");
}

TEST_F(PodGrace, AContainerThatDoesNotListenIsKilledWhenTheTimeIsOver) {
  pod_.add("a", "trap '' TERM; echo ready; while :; do sleep 0.02; done");
  launch_and_wait_for("a");
  const int64_t took = stop(1);
  EXPECT_GE(took, 1000);
  EXPECT_LT(took, 40000);
  EXPECT_EQ(end_of("a").exit_code, 137);
  EXPECT_EQ(pod_.status().phase, Phase::kFailed);
}

TEST_F(PodGrace, ASidecarIsAskedToEndAlsoWhenTheAppsHaveTakenAllOfTheTime) {
  pod_.add("s", "trap 'echo asked; exit 5' TERM; echo ready; while :; do sleep 0.02; done",
           Role::kSidecar);
  pod_.add("a", "trap '' TERM; echo ready; while :; do sleep 0.02; done");
  launch_and_wait_for("a");
  ASSERT_TRUE(pod_.log_has("s", "ready"));
  stop(1);
  EXPECT_EQ(end_of("a").exit_code, 137);
  EXPECT_EQ(end_of("s").exit_code, 5);
  EXPECT_EQ(pod_.log("s"), "ready\nasked\n");
}

TEST_F(PodGrace, WithoutGraceNobodyIsAsked) {
  pod_.add("a", "trap 'echo asked' TERM; echo ready; while :; do sleep 0.02; done");
  pod_.pod.grace_seconds = 60;
  launch_and_wait_for("a");
  EXPECT_LT(stop(0), 40000);
  EXPECT_EQ(end_of("a").signal, SIGKILL);
  EXPECT_EQ(pod_.log("a"), "ready\n");
}

TEST_F(PodGrace, AContainerMayHaveAStopSignalOfItsOwn) {
  pod_.add("a", "trap 'echo usr1; exit 0' USR1; echo ready; while :; do sleep 0.02; done")
      .stop_signal = SIGUSR1;
  launch_and_wait_for("a");
  stop(30);
  EXPECT_EQ(pod_.log("a"), "ready\nusr1\n");
}

TEST_F(PodGrace, PreStopRunsInTheContainerBeforeTheSignal) {
  pod_.add("a", "trap 'cat /told; exit 0' TERM; echo ready; while :; do sleep 0.02; done")
      .pre_stop.emplace()
      .exec = {"sh", "-c", "sleep 0.2; echo preStop > /told"};
  launch_and_wait_for("a");
  EXPECT_GE(stop(30), 200);
  EXPECT_EQ(pod_.log("a"), "ready\npreStop\n");
}

TEST_F(PodGrace, APreStopThatHangsDoesNotPassTheGracePeriod) {
  pod_.add("a", "trap 'exit 6' TERM; echo ready; while :; do sleep 0.02; done")
      .pre_stop.emplace()
      .exec = {"sleep", "60"};
  launch_and_wait_for("a");
  const int64_t took = stop(1);
  EXPECT_GE(took, 1000);
  EXPECT_LT(took, 40000);
  EXPECT_EQ(end_of("a").exit_code, 6) << "the signal came when the time was over";
}

TEST_F(PodGrace, APreStopThatFailsIsToldAndTheSignalSentAllTheSame) {
  pod_.add("a", "trap 'exit 5' TERM; echo ready; while :; do sleep 0.02; done")
      .pre_stop.emplace()
      .exec = {"sh", "-c", "exit 9"};
  launch_and_wait_for("a");
  EXPECT_LT(stop(60), 40000);
  EXPECT_EQ(end_of("a").exit_code, 5);
  EXPECT_NE(pod_.events().find("FailedPreStopHook"), std::string::npos);
}

TEST_F(PodGrace, PostStartRunsInTheContainerAfterItsStart) {
  pod_.add("a", "while ! test -e /been; do sleep 0.02; done; cat /been; sleep 60")
      .post_start.emplace()
      .exec = {"sh", "-c", "echo $0 > /been", "postStart"};
  pod_.launch();
  EXPECT_TRUE(pod_.log_has("a", "postStart"));
  EXPECT_TRUE(eventually([&] { return pod_.container("a").started; }));
}

TEST_F(PodGrace, APostStartThatFailsEndsTheContainer) {
  pod_.add("a", "sleep 60").post_start.emplace().exec = {"sh", "-c", "echo no; exit 1"};
  pod_.pod.grace_seconds = 1;
  pod_.launch();
  ASSERT_TRUE(pod_.becomes([](const PodStatus& status) { return status.phase == Phase::kFailed; }));
  EXPECT_NE(pod_.events().find("FailedPostStartHook"), std::string::npos);
}

TEST_F(PodGrace, AStopWhileTheInitContainerRunsEndsEverything) {
  pod_.add("i", "trap 'exit 0' TERM; echo ready; while :; do sleep 0.02; done", Role::kInit);
  pod_.add("a", "sleep 60");
  ASSERT_EQ(pod_.create(), "");
  const pid_t helper =
      in_background([&] { return pod_.log_has("i", "ready") && pod_.stop(10).empty(); });
  const std::string error = pod_.start();
  EXPECT_NE(error.find("Stopped"), std::string::npos) << error;
  ASSERT_TRUE(wait_for_end(helper));
  ASSERT_TRUE(pod_.becomes([](const PodStatus& status) { return !status.finished_at.empty(); }));
  EXPECT_EQ(pod_.container("a").process.pid, 0);
  EXPECT_EQ(pod_.status().phase, Phase::kFailed);
}

TEST_F(PodGrace, TheActiveDeadlineEndsThePod) {
  pod_.add("a", "sleep 60").restart = RestartPolicy::kAlways;
  pod_.pod.active_deadline_seconds = 1;
  pod_.pod.grace_seconds = 1;
  pod_.launch();
  ASSERT_TRUE(pod_.becomes([](const PodStatus& status) { return status.phase == Phase::kFailed; }));
  EXPECT_EQ(pod_.status().reason, ocirt::pod::StopReason::kDeadlineExceeded);
}

}  // namespace
}  // namespace harness
