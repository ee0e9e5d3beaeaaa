// The end of a pod: stopping, grace, order, phases, and the deadline of the whole.
#include "src/pod/lifecycle.h"
#include "src/pod/test_world.h"

namespace ocirt::pod {
namespace {

TEST(PodStop, EndsAppsAtOnceAndThenSidecarsFromTheLastToTheFirst) {
  World world(test_pod({test_container("s1", Role::kSidecar), test_container("s2", Role::kSidecar),
                        test_container("a"), test_container("b")}));
  world.start();
  world.done();
  world.dies_by_signal = false;
  world.stop(30);
  EXPECT_EQ(world.done(), "signal a 15; signal b 15");
  EXPECT_FALSE(world.life.status().condition("Ready"));
  world.end("b", {.signal = 15});
  EXPECT_EQ(world.done(), "remove b") << "a still needs the sidecars";
  world.exit("a", 0);
  EXPECT_EQ(world.done(), "remove a; signal s2 15");
  world.exit("s2", 0);
  EXPECT_EQ(world.done(), "remove s2; signal s1 15");
  world.exit("s1", 0);
  EXPECT_EQ(world.done(), "remove s1; ended");
  EXPECT_EQ(world.phase(), "Failed") << "b has not ended well";
  EXPECT_EQ(world.life.status().reason, StopReason::kStopped);
  EXPECT_EQ(world.life.deadline(), std::nullopt);
}

TEST(PodStop, KillsWhatIsLeftWhenTheGracePeriodIsOver) {
  World world(test_pod({test_container("s", Role::kSidecar), test_container("a")}));
  world.start();
  world.dies_by_signal = false;
  world.stop(30);
  world.done();
  world.pass_ns(30 * kTestSecond - 1);
  EXPECT_EQ(world.done(), "");
  world.pass_ns(1);
  EXPECT_EQ(world.done(), "signal s 15; kill a; remove a") << "its turn comes now";
  EXPECT_EQ(world.state("a"), "terminated Error 137");
  world.pass_ns(2 * kTestSecond - 1);
  EXPECT_EQ(world.done(), "");
  world.pass_ns(1);
  EXPECT_EQ(world.done(), "kill s; remove s; ended");
}

TEST(PodStop, ASidecarWhoseTurnComesLateCanStillEndByItself) {
  World world(test_pod({test_container("s1", Role::kSidecar), test_container("s2", Role::kSidecar),
                        test_container("a")}));
  world.start();
  world.done();
  world.dies_by_signal = false;
  world.stop(30);
  world.pass(30);
  EXPECT_EQ(world.done(), "signal a 15; signal s2 15; signal s1 15; kill a; remove a");
  world.exit("s2", 0);
  world.exit("s1", 0);
  EXPECT_EQ(world.done(), "remove s2; remove s1; ended");
}

TEST(PodStop, ALastChanceEndsWhenSomebodyWantsNoGraceAtAll) {
  World world(test_pod({test_container("s", Role::kSidecar), test_container("a")}));
  world.start();
  world.dies_by_signal = false;
  world.stop(30);
  world.pass(30);
  world.done();
  world.stop(0);
  EXPECT_EQ(world.done(), "kill s; remove s; ended");
}

TEST(PodStop, LeavesTheSidecarsWhatTheAppsHaveNotUsed) {
  World world(test_pod({test_container("s", Role::kSidecar), test_container("a")}));
  world.start();
  world.dies_by_signal = false;
  world.stop(30);
  world.pass(20);
  world.exit("a", 0);
  EXPECT_NE(world.done().find("signal s 15"), std::string::npos);
  world.pass_ns(10 * kTestSecond - 1);
  EXPECT_EQ(world.done(), "");
  world.pass_ns(1);
  EXPECT_EQ(world.done(), "kill s; remove s; ended");
}

TEST(PodStop, WithoutGraceKillsAllAtOnce) {
  Container app = test_container("a");
  app.pre_stop = test_handler();
  World world(test_pod({test_container("s", Role::kSidecar), app}));
  world.start();
  world.done();
  world.dies_by_kill = false;
  world.stop(0);
  EXPECT_EQ(world.done(), "kill s; kill a");
}

TEST(PodStop, AskedAgainTheEarlierEndCounts) {
  World world(test_pod({test_container("s", Role::kSidecar), test_container("a")}));
  world.start();
  world.dies_by_signal = false;
  world.stop(30);
  world.done();
  world.stop(10);
  world.stop(100);
  EXPECT_EQ(world.done(), "") << "no second signal";
  world.pass(5);
  world.exit("a", 0);
  EXPECT_EQ(world.done(), "remove a; signal s 15");
  world.pass(5);
  EXPECT_EQ(world.done(), "kill s; remove s; ended");
}

TEST(PodStop, ForEverIsForEver) {
  World world(test_pod({test_container("a")}));
  world.start();
  world.dies_by_signal = false;
  world.stop(UINT64_MAX);
  world.done();
  world.pass(int64_t{1} << 31);
  EXPECT_EQ(world.done(), "");
}

TEST(PodStop, RunsPreStopBeforeTheSignal) {
  Container app = test_container("a");
  app.pre_stop = test_handler();
  app.stop_signal = 3;
  World world(test_pod({app}));
  world.start();
  world.done();
  world.stop(30);
  EXPECT_EQ(world.done(), "preStop a");
  world.pass(7);
  world.handled("a", HandlerKind::kPreStop, false);
  EXPECT_EQ(world.done(), "signal a 3; remove a; ended");
  EXPECT_EQ(world.count(EventType::kFailedPreStopHook), 1);
}

TEST(PodStop, APreStopThatHangsIsNotWaitedForBeyondTheGracePeriod) {
  Container app = test_container("a");
  app.pre_stop = test_handler();
  World world(test_pod({app}));
  world.start();
  world.done();
  world.stop(30);
  world.dies_by_kill = false;
  world.dies_by_signal = false;
  world.pass(30);
  EXPECT_EQ(world.done(), "preStop a; signal a 15");
  world.handled("a", HandlerKind::kPreStop, true);
  EXPECT_EQ(world.done(), "") << "no second signal";
  world.pass(2);
  EXPECT_EQ(world.done(), "kill a");
}

TEST(PodStop, APreStopThatOnlySleepsNeedsNobody) {
  Container app = test_container("a");
  app.pre_stop.emplace().sleep_seconds = 4;
  World world(test_pod({app}));
  world.start();
  world.done();
  world.stop(30);
  world.pass(3);
  EXPECT_EQ(world.done(), "");
  world.pass(1);
  EXPECT_EQ(world.done(), "signal a 15; remove a; ended");
}

TEST(PodStop, WaitsForAContainerThatIsBeingMadeAndKillsIt) {
  World world(test_pod({test_container("a")}));
  world.answers_create = false;
  world.start();
  world.stop(30);
  EXPECT_EQ(world.done(),
            "create a; launch failed: the pod ends before its containers have been "
            "started: Stopped");
  world.life.created(world.of("a"), {}, world.now);
  EXPECT_EQ(world.done(), "kill a; remove a; ended");
  EXPECT_EQ(world.state("a"), "waiting NotStarted");
}

TEST(PodStop, AnAnswerToStartThatComesLateIsWaitedFor) {
  World world(test_pod({test_container("a")}));
  world.answers_start = false;
  world.start();
  world.stop(30);
  world.done();
  world.dies_by_kill = false;
  EXPECT_EQ(world.life.deadline(), world.now.ns + 30 * kTestSecond);
  world.pass(30);
  EXPECT_EQ(world.done(), "kill a");
  EXPECT_EQ(world.life.deadline(), std::nullopt);
  world.end("a", {.signal = 9});
  EXPECT_EQ(world.done(), "");
  world.life.started(world.of("a"), world.now);
  EXPECT_EQ(world.done(), "remove a; ended");
}

TEST(PodStop, EndsABackOff) {
  World world(test_pod({test_container("a")}));
  world.start();
  world.exit("a", 1);
  world.exit("a", 1);
  world.done();
  world.stop(30);
  EXPECT_EQ(world.done(), "ended");
  EXPECT_EQ(world.state("a"), "terminated Error 1");
}

TEST(PodStop, AContainerThatEndsMeanwhileIsNotRestarted) {
  World world(test_pod({test_container("s", Role::kSidecar), test_container("a")}));
  world.start();
  world.exit("a", 1);
  world.dies_by_signal = false;
  world.stop(30);
  world.done();
  world.exit("s", 1);
  EXPECT_EQ(world.done(), "remove s");
  world.exit("a", 1);
  EXPECT_EQ(world.done(), "remove a; ended");
  EXPECT_EQ(world.count(EventType::kBackOff), 0) << "nor is a restart announced";
}

TEST(PodEnd, ComesWhenAllAppsHaveSucceededAndTakesTheSidecarsAlong) {
  World world(test_pod({test_container("s", Role::kSidecar),
                        test_container("a", Role::kApp, RestartPolicy::kOnFailure),
                        test_container("b", Role::kApp, RestartPolicy::kNever)}));
  world.start();
  world.done();
  world.exit("a", 0);
  EXPECT_EQ(world.done(), "remove a");
  world.exit("b", 0);
  EXPECT_EQ(world.done(), "remove b; signal s 15; remove s; ended");
  EXPECT_EQ(world.phase(), "Succeeded") << "the exit of a sidecar does not count";
  EXPECT_EQ(world.life.status().reason, StopReason::kCompleted);
  EXPECT_EQ(world.events.back().message, "Succeeded");
  world.stop(0);
  world.pass(1000);
  EXPECT_EQ(world.done(), "") << "the end is the end";
}

TEST(PodEnd, IsAFailureWhenOneAppFailed) {
  World world(test_pod({test_container("a", Role::kApp, RestartPolicy::kNever),
                        test_container("b", Role::kApp, RestartPolicy::kNever)}));
  world.start();
  world.exit("a", 1);
  world.exit("b", 0);
  EXPECT_EQ(world.phase(), "Failed");
}

TEST(PodEnd, ComesWithTheActiveDeadline) {
  Pod pod = test_pod({test_container("a")});
  pod.active_deadline_seconds = 60;
  pod.grace_seconds = 5;
  World world(pod);
  world.start();
  world.done();
  world.dies_by_signal = false;
  world.pass(60);
  EXPECT_EQ(world.done(), "signal a 15");
  world.pass(4);
  world.exit("a", 0);
  EXPECT_EQ(world.done(), "remove a; ended");
  EXPECT_EQ(world.phase(), "Failed") << "however well the apps take it";
  EXPECT_EQ(world.life.status().reason, StopReason::kDeadlineExceeded);
}

TEST(PodEnd, OfAPodThatWasNeverStartedComesAtOnce) {
  World world(test_pod({test_container("a")}));
  world.stop(30);
  EXPECT_NE(world.done().find("ended"), std::string::npos);
}

}  // namespace
}  // namespace ocirt::pod
