// What the answers of probes and handlers do to a container's life.
#include "src/pod/lifecycle.h"
#include "src/pod/test_world.h"

namespace ocirt::pod {
namespace {

TEST(LivenessProbe, EndsTheContainerAfterAsManyFailuresInARowAsTheThreshold) {
  Container app = test_container("a", Role::kApp, RestartPolicy::kOnFailure);
  app.liveness = test_probe(10, 3);
  World world(test_pod({app}));
  world.start();
  EXPECT_EQ(world.done(), "create a; start a; probe a liveness; launched");
  for (bool success : {false, false, true, false, false}) {
    world.probe("a", ProbeKind::kLiveness, success);
    world.pass(10);
    EXPECT_EQ(world.done(), "probe a liveness");
  }
  world.probe("a", ProbeKind::kLiveness, false);
  EXPECT_EQ(world.done(), "signal a 15; remove a; create a; start a; probe a liveness");
  EXPECT_EQ(world.counts(EventType::kUnhealthy), "1 2 1 2 3") << "each, and how many in a row";
}

TEST(ReadinessProbe, ThatGoesOnFailingIsToldOfEverMoreRarely) {
  Container app = test_container("a");
  app.readiness = test_probe(10, 3);
  World world(test_pod({app}));
  world.start();
  for (int i = 0; i < 40; ++i) {
    world.probe("a", ProbeKind::kReadiness, false);
    world.pass(10);
  }
  EXPECT_EQ(world.counts(EventType::kUnhealthy), "1 2 3 4 8 16 32");
}

TEST(LivenessProbe, EndsAContainerForGoodThatIsNeverRestarted) {
  Container app = test_container("a", Role::kApp, RestartPolicy::kNever);
  app.liveness = test_probe(10, 1);
  World world(test_pod({app}));
  world.start();
  world.done();
  world.probe("a", ProbeKind::kLiveness, false);
  EXPECT_EQ(world.done(), "signal a 15; remove a; ended");
}

TEST(LivenessProbe, RestartsAContainerThatThenEndsWellToo) {
  Container app = test_container("a", Role::kApp, RestartPolicy::kOnFailure);
  app.liveness = test_probe(10, 1);
  World world(test_pod({app}));
  world.start();
  world.done();
  world.dies_by_signal = false;
  world.probe("a", ProbeKind::kLiveness, false);
  world.exit("a", 0);
  EXPECT_EQ(world.done(), "signal a 15; remove a; create a; start a; probe a liveness");
}

TEST(LivenessProbe, MayHaveAGracePeriodOfItsOwn) {
  Container app = test_container("a");
  app.liveness = test_probe(100, 1);
  app.liveness->termination_grace_seconds = 2;
  World world(test_pod({app}));
  world.start();
  world.dies_by_signal = false;
  world.probe("a", ProbeKind::kLiveness, false);
  world.done();
  world.pass(1);
  EXPECT_EQ(world.done(), "");
  world.pass(1);
  EXPECT_EQ(world.done(), "kill a; remove a; create a; start a; probe a liveness");
}

TEST(LivenessProbe, IsNotAskedAgainWhileAnAnswerIsAwaited) {
  Container app = test_container("a");
  app.liveness = test_probe(10, 3);
  World world(test_pod({app}));
  world.start();
  world.done();
  world.pass(100);
  EXPECT_EQ(world.done(), "");
  world.probe("a", ProbeKind::kLiveness, true);
  EXPECT_EQ(world.done(), "probe a liveness") << "it is overdue";
}

TEST(LivenessProbe, ThatWasNotAskedForChangesNothing) {
  Container app = test_container("a");
  app.liveness = test_probe(10, 1);
  World world(test_pod({app}));
  world.start();
  world.probe("a", ProbeKind::kLiveness, true);
  world.done();
  world.probe("a", ProbeKind::kLiveness, false);
  world.probe("a", ProbeKind::kStartup, false);
  EXPECT_EQ(world.done(), "");
}

TEST(Probes, BeginAfterTheInitialDelay) {
  Container app = test_container("a");
  app.readiness = test_probe(10);
  app.readiness->initial_delay_seconds = 15;
  World world(test_pod({app}));
  world.start();
  EXPECT_EQ(world.done(), "create a; start a; launched");
  world.pass(14);
  EXPECT_EQ(world.done(), "");
  world.pass(1);
  EXPECT_EQ(world.done(), "probe a readiness");
}

TEST(Probes, AreNotAskedWhileThePodEnds) {
  Container app = test_container("a");
  app.liveness = test_probe(1, 1);
  World world(test_pod({app}));
  world.start();
  world.dies_by_signal = false;
  world.stop(30);
  world.done();
  world.probe("a", ProbeKind::kLiveness, false);
  world.pass(20);
  EXPECT_EQ(world.done(), "");
}

TEST(StartupProbe, HoldsTheOthersBackUntilItSucceeds) {
  Container app = test_container("a");
  app.startup = test_probe(5, 30);
  app.liveness = test_probe(10);
  app.readiness = test_probe(10);
  World world(test_pod({app}));
  world.start();
  EXPECT_EQ(world.done(), "create a; start a; probe a startup; launched");
  world.probe("a", ProbeKind::kStartup, false);
  world.pass(5);
  EXPECT_EQ(world.done(), "probe a startup");
  world.probe("a", ProbeKind::kStartup, true);
  EXPECT_EQ(world.done(), "probe a liveness; probe a readiness");
  EXPECT_TRUE(world.status("a").started);
  EXPECT_FALSE(world.status("a").ready);
  world.pass(5);
  EXPECT_EQ(world.done(), "") << "it is not asked again";
}

TEST(StartupProbe, EndsAContainerThatDoesNotStart) {
  Container app = test_container("a");
  app.startup = test_probe(5, 2);
  World world(test_pod({app}));
  world.start();
  world.probe("a", ProbeKind::kStartup, false);
  world.pass(5);
  world.done();
  world.probe("a", ProbeKind::kStartup, false);
  EXPECT_EQ(world.done(), "signal a 15; remove a; create a; start a; probe a startup");
}

TEST(ReadinessProbe, DecidesWhetherThePodIsReadyAndEndsNothing) {
  Container app = test_container("a");
  app.readiness = test_probe(10, 2);
  app.readiness->success_threshold = 2;
  World world(test_pod({app, test_container("b")}));
  world.start();
  const auto answer = [&](bool success) {
    world.probe("a", ProbeKind::kReadiness, success);
    world.pass(10);
    return world.status("a").ready && world.life.status().condition("Ready");
  };
  EXPECT_TRUE(world.status("b").ready);
  EXPECT_FALSE(answer(true));
  EXPECT_TRUE(answer(true));
  EXPECT_TRUE(answer(false));
  EXPECT_FALSE(answer(false));
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(answer(false));
  EXPECT_FALSE(answer(true));
  EXPECT_TRUE(answer(true));
  EXPECT_EQ(world.count(EventType::kReady), 2);
  EXPECT_EQ(world.count(EventType::kNotReady), 1);
  EXPECT_EQ(world.done().find("signal"), std::string::npos);
}

TEST(ReadinessProbe, BeginsAnewWithEachInstance) {
  Container app = test_container("a");
  app.readiness = test_probe(10, 3);
  World world(test_pod({app}));
  world.start();
  world.probe("a", ProbeKind::kReadiness, true);
  EXPECT_TRUE(world.status("a").ready);
  world.exit("a", 1);
  EXPECT_EQ(world.state("a"), "running");
  EXPECT_FALSE(world.status("a").ready);
}

TEST(PostStart, HoldsProbesBackAndCountsAsPartOfTheStart) {
  Container app = test_container("a");
  app.post_start = test_handler();
  app.startup = test_probe();
  app.liveness = test_probe();
  World world(test_pod({app}));
  world.start();
  EXPECT_EQ(world.done(), "create a; start a; postStart a; launched");
  EXPECT_FALSE(world.status("a").ready);
  world.pass(60);
  EXPECT_EQ(world.done(), "");
  world.handled("a", HandlerKind::kPostStart, true);
  EXPECT_EQ(world.done(), "probe a startup");
  world.probe("a", ProbeKind::kStartup, true);
  EXPECT_EQ(world.done(), "probe a liveness");
  EXPECT_TRUE(world.status("a").ready);
}

TEST(PostStart, ThatFailsEndsTheContainer) {
  Container app = test_container("a", Role::kApp, RestartPolicy::kOnFailure);
  app.post_start = test_handler();
  World world(test_pod({app}));
  world.start();
  world.done();
  world.handled("a", HandlerKind::kPostStart, false);
  EXPECT_EQ(world.done(), "signal a 15; remove a; create a; start a; postStart a");
  EXPECT_EQ(world.count(EventType::kFailedPostStartHook), 1);
}

TEST(PostStart, OfAContainerThatHasEndedIsNotWaitedFor) {
  Container app = test_container("a", Role::kApp, RestartPolicy::kNever);
  app.post_start = test_handler();
  World world(test_pod({app}));
  world.start();
  world.done();
  world.exit("a", 0);
  EXPECT_EQ(world.done(), "remove a; ended");
  world.handled("a", HandlerKind::kPostStart, false);
  EXPECT_EQ(world.done(), "");
}

}  // namespace
}  // namespace ocirt::pod
