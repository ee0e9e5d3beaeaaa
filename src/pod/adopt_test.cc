// A shim dies, another one goes on: from the state that was written before each action.
#include "src/pod/lifecycle.h"
#include "src/pod/test_world.h"

namespace ocirt::pod {
namespace {

// The world after the shim's death: the same pod and time, and what has become of the processes.
struct Adopted : World {
  Adopted(World& before, std::vector<Found> found) : World(before.pod) {
    now = before.now;
    Result<State> state = read_state(write_state(before.life.state()));
    EXPECT_TRUE(state) << state.error().text;
    life = Lifecycle::adopt(pod, *state, found, now);
  }
};

Found gone(Exit exit) { return {false, exit}; }
constexpr Found kAlive{true, {}};
constexpr Found kGone{false, {}};

TEST(Adoption, KeepsWhatRuns) {
  Container app = test_container("a");
  app.readiness = test_probe(10);
  World before(test_pod({test_container("i", Role::kInit), app}));
  before.start();
  before.exit("i", 0);
  before.probe("a", ProbeKind::kReadiness, true);
  before.pass(3);
  Adopted world(before, {kGone, kAlive});
  EXPECT_EQ(world.done(), "probe a readiness");
  EXPECT_EQ(world.status("a").process, before.status("a").process);
  EXPECT_EQ(world.state("a"), "running");
  EXPECT_TRUE(world.status("a").ready) << "a shim's end does not take a pod out of service";
  PodStatus was = before.life.status();
  EXPECT_EQ(world.life.status(), was);
  EXPECT_EQ(world.count(EventType::kAdopted), 1);
}

TEST(Adoption, RestartsWhatHasEndedMeanwhile) {
  World before(test_pod({test_container("a"), test_container("b")}));
  before.start();
  Adopted world(before, {gone({.code = 3}), kGone});
  EXPECT_EQ(world.done(), "remove a; remove b; create a; create b; start a; start b");
  EXPECT_EQ(world.status("a").last_terminated->exit_code, 3);
  EXPECT_EQ(world.status("b").last_terminated->reason, EndReason::kUnknown);
  EXPECT_EQ(world.status("a").restart_count, 1u);
}

TEST(Adoption, OfAnEndThatNobodyKnowsCountsAsAFailure) {
  World before(test_pod({test_container("a", Role::kApp, RestartPolicy::kNever)}));
  before.start();
  Adopted world(before, {kGone});
  EXPECT_EQ(world.done(), "remove a; ended");
  EXPECT_EQ(world.state("a"), "terminated Unknown 137");
  EXPECT_EQ(world.phase(), "Failed");
}

TEST(Adoption, RemovesWhatWasHalfMadeAndMakesItAnew) {
  World before(test_pod({test_container("a"), test_container("b")}));
  before.answers_create = false;
  before.start();
  before.answers_start = false;
  before.life.created(before.of("b"), {.pid = 7}, before.now);
  before.run();
  Adopted world(before, {kGone, kAlive});
  world.answers_start = true;
  EXPECT_EQ(world.done(), "remove a; kill b; create a; remove b; start a; create b; start b");
  EXPECT_EQ(world.status("b").restart_count, 0u) << "its program had not run";
}

TEST(Adoption, KeepsTheWaitAndTheLengthOfABackOff) {
  World before(test_pod({test_container("a")}));
  before.start();
  before.exit("a", 1);
  before.exit("a", 1);
  before.pass(4);
  Adopted world(before, {kGone});
  EXPECT_EQ(world.done(), "remove a");
  world.pass(5);
  EXPECT_EQ(world.done(), "");
  world.pass(1);
  EXPECT_EQ(world.done(), "create a; start a");
  world.exit("a", 1);
  world.done();
  world.pass(19);
  EXPECT_EQ(world.done(), "");
  world.pass(1);
  EXPECT_EQ(world.done(), "create a; start a");
}

TEST(Adoption, KnowsHowLongAContainerHasRun) {
  World before(test_pod({test_container("a")}));
  before.start();
  before.exit("a", 1);
  before.pass(590);
  Adopted world(before, {kAlive});
  world.pass(10);
  world.exit("a", 1);
  EXPECT_EQ(world.done(), "remove a; create a; start a") << "600 seconds: forgiven";
  Adopted next(world, {kAlive});
  next.exit("a", 1);
  EXPECT_EQ(next.done(), "remove a") << "that was soon";
}

TEST(Adoption, GoesOnStoppingWithTheSameDeadline) {
  World before(test_pod({test_container("s", Role::kSidecar), test_container("a")}));
  before.start();
  before.dies_by_signal = false;
  before.stop(30);
  before.run();
  before.pass(20);
  Adopted world(before, {kAlive, kAlive});
  world.dies_by_signal = false;
  EXPECT_EQ(world.done(), "signal a 15");
  EXPECT_EQ(world.life.status().reason, StopReason::kStopped);
  world.pass(10);
  EXPECT_EQ(world.done(), "signal s 15; kill a; remove a");
  Adopted next(world, {kAlive, {}});
  next.dies_by_signal = false;
  next.pass_ns(2 * kTestSecond - 1);
  EXPECT_EQ(next.done(), "signal s 15") << "its last chance is kept";
  next.pass_ns(1);
  EXPECT_EQ(next.done(), "kill s; remove s; ended");
}

TEST(Adoption, RemembersThatARestartWasAskedFor) {
  World before(test_pod({test_container("a", Role::kApp, RestartPolicy::kNever)}));
  before.start();
  before.dies_by_signal = false;
  ASSERT_TRUE(before.life.restart(0, before.now));
  before.run();
  Adopted world(before, {gone({.signal = 15})});
  EXPECT_EQ(world.done(), "remove a; create a; start a");
}

TEST(Adoption, GoesOnWithTheInitContainerWhoseTurnItWas) {
  World before(test_pod(
      {test_container("i1", Role::kInit), test_container("i2", Role::kInit), test_container("a")}));
  before.start();
  before.exit("i1", 0);
  Adopted world(before, {kGone, gone({.code = 0})});
  EXPECT_EQ(world.done(), "remove i2; create a; start a") << "i1 is not run again";
}

TEST(Adoption, DoesNotWaitAgainForASidecarWhoseTurnHasPassed) {
  World before(test_pod({test_container("s", Role::kSidecar), test_container("i", Role::kInit),
                         test_container("a")}));
  before.start();
  before.exit("s", 1);
  before.exit("s", 1);
  Adopted world(before, {kGone, kAlive, kGone});
  EXPECT_EQ(world.done(), "remove s");
  world.exit("i", 0);
  EXPECT_EQ(world.done(), "remove i; create a; start a");
}

TEST(Adoption, RunsAPostStartAgainThatMayNotHaveRun) {
  Container app = test_container("a");
  app.post_start = test_handler();
  World before(test_pod({app}));
  before.start();
  Adopted world(before, {kAlive});
  EXPECT_EQ(world.done(), "postStart a");
  EXPECT_FALSE(world.status("a").started);
}

TEST(Adoption, OfAPodThatHasNotBeenStartedDoesNotStartIt) {
  World before(test_pod({test_container("a")}));
  Adopted world(before, {kGone});
  EXPECT_EQ(world.done(), "");
  world.start();
  EXPECT_EQ(world.done(), "create a; start a; launched");
}

TEST(Adoption, OfAPodThatHasEndedKeepsItsEnd) {
  World before(test_pod({test_container("a", Role::kApp, RestartPolicy::kNever)}));
  before.start();
  before.exit("a", 0);
  Adopted world(before, {kGone});
  EXPECT_EQ(world.done(), "");
  EXPECT_TRUE(world.life.has_ended());
  EXPECT_EQ(world.life.status(), before.life.status());
}

}  // namespace
}  // namespace ocirt::pod
