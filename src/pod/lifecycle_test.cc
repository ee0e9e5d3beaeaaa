// Order of starting, restarts, and what the status says meanwhile.
#include "src/pod/lifecycle.h"

#include "src/pod/test_world.h"

namespace ocirt::pod {
namespace {

TEST(PodStart, MakesAllAppsAtOnce) {
  World world(test_pod({test_container("a"), test_container("b")}));
  world.answers_create = false;
  world.start();
  EXPECT_EQ(world.done(), "create a; create b");
  EXPECT_EQ(world.phase(), "Pending");
  world.life.created(world.of("b"), {}, world.now);
  EXPECT_EQ(world.done(), "start b");
  world.life.created(world.of("a"), {}, world.now);
  EXPECT_EQ(world.done(), "start a; launched");
  EXPECT_EQ(world.phase(), "Running");
  EXPECT_EQ(world.state("a"), "running");
}

TEST(PodStart, NothingHappensBefore) {
  World world(test_pod({test_container("a")}));
  world.pass(100);
  EXPECT_EQ(world.done(), "");
  EXPECT_EQ(world.life.deadline(), std::nullopt);
  EXPECT_EQ(world.phase(), "Pending");
}

TEST(PodStart, RunsInitContainersOneAfterTheOtherToTheirSuccess) {
  World world(test_pod(
      {test_container("i1", Role::kInit), test_container("i2", Role::kInit), test_container("a")}));
  world.start();
  EXPECT_EQ(world.done(), "create i1; start i1");
  EXPECT_EQ(world.state("i2"), "waiting PodInitializing");
  EXPECT_FALSE(world.life.status().condition("Initialized"));
  world.exit("i1", 0);
  EXPECT_EQ(world.done(), "remove i1; create i2; start i2");
  EXPECT_TRUE(world.status("i1").ready);
  world.exit("i2", 0);
  EXPECT_EQ(world.done(), "remove i2; create a; start a; launched");
  EXPECT_TRUE(world.life.status().condition("Initialized"));
  EXPECT_TRUE(world.life.status().condition("Ready"));
  EXPECT_EQ(world.state("i1"), "terminated Completed 0");
}

TEST(PodStart, ReportsAFastExitOfAnInitContainerBeforeTheAnswerToStart) {
  World world(test_pod({test_container("i", Role::kInit), test_container("a")}));
  world.answers_start = false;
  world.start();
  world.exit("i", 0);
  EXPECT_EQ(world.done(), "create i; start i") << "the answer to Start decides what the exit means";
  world.life.started(world.of("i"), world.now);
  EXPECT_EQ(world.done(), "remove i; create a; start a");
  EXPECT_EQ(world.events[3].type, EventType::kExited);
  EXPECT_EQ(world.events[2].type, EventType::kStarted);
}

TEST(PodStart, AFailingInitContainerIsRestartedEvenUnderAlways) {
  World world(test_pod({test_container("i", Role::kInit), test_container("a")}));
  world.start();
  world.exit("i", 1);
  EXPECT_EQ(world.done(), "create i; start i; remove i; create i; start i");
  world.exit("i", 1);
  EXPECT_EQ(world.done(), "remove i");
  EXPECT_EQ(world.state("i"), "waiting CrashLoopBackOff");
  EXPECT_EQ(world.phase(), "Pending");
  world.pass(10);
  EXPECT_EQ(world.done(), "create i; start i");
  world.exit("i", 0);
  EXPECT_EQ(world.done(), "remove i; create a; start a; launched");
  EXPECT_EQ(world.status("i").restart_count, 2u);
}

TEST(PodStart, AnInitContainerThatIsNotRestartedFailsThePod) {
  World world(test_pod({test_container("s", Role::kSidecar),
                        test_container("i", Role::kInit, RestartPolicy::kNever),
                        test_container("a", Role::kApp, RestartPolicy::kNever)}));
  world.start();
  world.exit("i", 7);
  EXPECT_EQ(
      world.done(),
      "create s; start s; create i; start i; remove i; launch failed: the pod ends before its "
      "containers have been started: init container i failed: exit code 7; signal s 15; "
      "remove s; ended");
  const PodStatus status = world.life.status();
  EXPECT_EQ(status.phase, Phase::kFailed);
  EXPECT_EQ(status.reason, StopReason::kInitFailed);
  EXPECT_EQ(world.state("a"), "waiting NotStarted");
  EXPECT_FALSE(world.life.status().condition("Initialized"));
}

TEST(PodStart, WaitsForTheStartupProbeOfASidecarButNotForItsEnd) {
  Container sidecar = test_container("s", Role::kSidecar);
  sidecar.startup = test_probe(5);
  World world(test_pod({sidecar, test_container("i", Role::kInit), test_container("a")}));
  world.start();
  EXPECT_EQ(world.done(), "create s; start s; probe s startup");
  EXPECT_FALSE(world.status("s").started);
  world.probe("s", ProbeKind::kStartup, false);
  world.pass(5);
  EXPECT_EQ(world.done(), "probe s startup");
  world.probe("s", ProbeKind::kStartup, true);
  EXPECT_EQ(world.done(), "create i; start i");
  EXPECT_TRUE(world.status("s").started);
}

TEST(PodStart, ASidecarWhosePostStartSleepsLetsTheNextOneBeginWhenItIsOver) {
  Container sidecar = test_container("s", Role::kSidecar);
  sidecar.post_start.emplace().sleep_seconds = 3;
  World world(test_pod({sidecar, test_container("a")}));
  world.start();
  EXPECT_EQ(world.done(), "create s; start s");
  world.pass(2);
  EXPECT_EQ(world.done(), "");
  world.pass(1);
  EXPECT_EQ(world.done(), "create a; start a; launched");
}

TEST(PodStart, ASidecarThatFailsLaterIsRestartedAndNobodyWaitsForItAgain) {
  World world(test_pod({test_container("s", Role::kSidecar), test_container("i", Role::kInit),
                        test_container("a", Role::kApp, RestartPolicy::kNever)}));
  world.answers_create = false;
  world.start();
  world.life.created(world.of("s"), {}, world.now);
  world.done();
  world.exit("s", 1);
  EXPECT_EQ(world.done(), "remove s; create s");
  world.life.created(world.of("i"), {}, world.now);
  world.exit("i", 0);
  EXPECT_EQ(world.done(), "start i; remove i; create a");
}

TEST(PodStart, SaysWhyAContainerCannotBeCreatedAndTriesAgain) {
  World world(test_pod({test_container("a")}));
  world.answers_create = false;
  world.start();
  world.life.create_failed(world.of("a"), "no such file", world.now);
  EXPECT_EQ(world.done(), "create a; launch failed: container a: no such file");
  EXPECT_EQ(world.state("a"), "waiting CreateContainerError");
  EXPECT_EQ(world.status("a").state.waiting->message, "no such file");
  world.pass(9);
  EXPECT_EQ(world.done(), "");
  world.answers_create = true;
  world.pass(1);
  EXPECT_EQ(world.done(), "create a; start a") << "the caller has had its answer";
  EXPECT_EQ(world.status("a").restart_count, 0u) << "nothing had run";
}

TEST(PodStart, WithoutRestartsAContainerThatCannotBeCreatedFailsThePod) {
  World world(test_pod({test_container("a", Role::kApp, RestartPolicy::kNever)}));
  world.answers_create = false;
  world.start();
  world.life.create_failed(world.of("a"), "no such file", world.now);
  EXPECT_EQ(world.done(), "create a; launch failed: container a: no such file; ended")
      << "there is nothing to remove";
  EXPECT_EQ(world.state("a"), "terminated CreateContainerError 128");
  EXPECT_EQ(world.phase(), "Failed");
}

TEST(PodStart, AProgramThatCannotBeExecutedIsKilledRemovedAndReported) {
  World world(test_pod({test_container("a", Role::kApp, RestartPolicy::kNever)}));
  world.answers_start = false;
  world.start();
  world.life.start_failed(world.of("a"), "exec: no such file", world.now);
  EXPECT_EQ(world.done(),
            "create a; start a; launch failed: container a: exec: no such file; kill a; remove a; "
            "ended");
  EXPECT_EQ(world.state("a"), "terminated StartError 128");
}

TEST(PodStart, AProgramThatCannotBeExecutedAndHasEndedIsNotKilled) {
  World world(test_pod({test_container("a", Role::kApp, RestartPolicy::kOnFailure)}));
  world.answers_start = false;
  world.start();
  world.exit("a", 1);
  world.life.start_failed(world.of("a"), "exec: no such file", world.now);
  EXPECT_EQ(world.done(),
            "create a; start a; launch failed: container a: exec: no such file; "
            "remove a; create a; start a");
  world.life.start_failed(world.of("a"), "exec: no such file", world.now);
  EXPECT_EQ(world.done(), "kill a; remove a");
  EXPECT_EQ(world.state("a"), "waiting RunContainerError");
}

// Killed by somebody: its end may be known before the answer of who made it.
TEST(PodStart, AContainerThatHasEndedBeforeItIsKnownToExistIsRemovedAndNotKilled) {
  World world(test_pod({test_container("a", Role::kApp, RestartPolicy::kOnFailure)}));
  world.answers_create = world.answers_start = false;
  world.start();
  world.end("a", {.signal = 9});
  world.life.created(world.of("a"), {7, 8}, world.now);
  EXPECT_EQ(world.done(), "create a; start a");
  world.life.start_failed(world.of("a"), "it has ended before it was started", world.now);
  EXPECT_EQ(world.done(),
            "launch failed: container a: it has ended before it was started; remove a; create a");
}

TEST(PodStop, AContainerThatHasEndedBeforeItIsKnownToExistIsRemovedAndNotKilled) {
  World world(test_pod({test_container("a")}));
  world.answers_create = false;
  world.start();
  world.stop(0);
  world.end("a", {.signal = 9});
  world.life.created(world.of("a"), {7, 8}, world.now);
  EXPECT_EQ(world.done(),
            "create a; launch failed: the pod ends before its containers have been started: "
            "Stopped; remove a; ended");
}

TEST(PodRestart, FollowsThePolicyOfEachContainer) {
  struct Case {
    RestartPolicy policy;
    int code;
    bool again;
  };
  for (const Case& one : {Case{RestartPolicy::kAlways, 0, true},
                          {RestartPolicy::kAlways, 1, true},
                          {RestartPolicy::kOnFailure, 0, false},
                          {RestartPolicy::kOnFailure, 1, true},
                          {RestartPolicy::kNever, 0, false},
                          {RestartPolicy::kNever, 1, false}}) {
    World world(test_pod({test_container("a", Role::kApp, one.policy), test_container("b")}));
    world.start();
    world.done();
    world.exit("a", one.code);
    EXPECT_EQ(world.done(), one.again ? "remove a; create a; start a" : "remove a")
        << oci::to_string(one.policy) << " " << one.code;
    EXPECT_EQ(world.phase(), "Running") << "b still runs";
  }
}

TEST(PodRestart, BacksOffAndForgivesAContainerThatRanForLong) {
  World world(test_pod({test_container("a")}));
  world.start();
  world.exit("a", 1);
  EXPECT_EQ(world.done(), "create a; start a; launched; remove a; create a; start a")
      << "the first restart comes at once";
  for (int64_t wait : {10, 20, 40, 80, 160, 300, 300}) {
    world.exit("a", 1);
    EXPECT_EQ(world.done(), "remove a");
    EXPECT_EQ(world.state("a"), "waiting CrashLoopBackOff");
    world.pass_ns(wait * kTestSecond - 1);
    EXPECT_EQ(world.done(), "") << wait;
    world.pass_ns(1);
    EXPECT_EQ(world.done(), "create a; start a") << wait;
  }
  world.pass(599);
  world.exit("a", 1);
  EXPECT_EQ(world.done(), "remove a") << "not long enough";
  world.pass(300);
  EXPECT_EQ(world.done(), "create a; start a");
  world.pass(600);
  world.exit("a", 1);
  EXPECT_EQ(world.done(), "remove a; create a; start a") << "forgiven";
  EXPECT_EQ(world.status("a").restart_count, 10u);
}

TEST(PodRestart, TellsHowTheInstanceBeforeEnded) {
  World world(test_pod({test_container("a", Role::kApp, RestartPolicy::kOnFailure)}));
  world.start();
  world.end("a", {.signal = 11});
  EXPECT_EQ(world.state("a"), "running");
  ASSERT_TRUE(world.status("a").last_terminated);
  EXPECT_EQ(world.status("a").last_terminated->exit_code, 139);
  EXPECT_EQ(world.status("a").last_terminated->signal, 11);
  world.exit("a", 0);
  EXPECT_EQ(world.state("a"), "terminated Completed 0");
  EXPECT_EQ(world.status("a").last_terminated->exit_code, 139) << "the one before that one";
  EXPECT_EQ(world.phase(), "Succeeded");
}

TEST(PodRestart, SaysThatItWasOutOfMemory) {
  World world(test_pod({test_container("a", Role::kApp, RestartPolicy::kNever),
                        test_container("b", Role::kApp, RestartPolicy::kNever),
                        test_container("c", Role::kApp, RestartPolicy::kNever)}));
  world.start();
  world.life.out_of_memory(world.of("a"), world.now);
  world.life.out_of_memory(world.of("a"), world.now);
  world.exit("a", 1);
  EXPECT_EQ(world.state("a"), "terminated OOMKilled 1");
  world.end("b", {.signal = 9}, true);
  EXPECT_EQ(world.state("b"), "terminated OOMKilled 137");
  world.end("c", {.code = 0}, true);
  EXPECT_EQ(world.state("c"), "terminated Completed 0") << "a child was killed, it did not mind";
  EXPECT_EQ(world.count(EventType::kOom), 3);
}

TEST(PodRestart, AnswersAboutAnInstanceThatIsGoneChangeNothing) {
  World world(test_pod({test_container("a")}));
  world.start();
  const Instance old = world.of("a");
  world.exit("a", 1);
  world.done();
  world.life.exited(old, {.code = 1}, true, world.now);
  world.life.removed(old, world.now);
  world.life.started(old, world.now);
  world.life.probed(old, ProbeKind::kLiveness, false, "", world.now);
  world.life.handled(old, HandlerKind::kPreStop, false, "", world.now);
  world.life.created({7, 1}, {}, world.now);
  EXPECT_EQ(world.done(), "");
  EXPECT_EQ(world.state("a"), "running");
}

TEST(PodRestart, WhenAskedComesAtOnceWhateverThePolicySays) {
  World world(test_pod({test_container("a", Role::kApp, RestartPolicy::kNever),
                        test_container("b", Role::kApp, RestartPolicy::kNever)}));
  world.start();
  world.done();
  ASSERT_TRUE(world.life.restart(0, world.now));
  EXPECT_EQ(world.done(), "signal a 15; remove a; create a; start a");
  EXPECT_EQ(world.status("a").restart_count, 1u);
  world.exit("a", 3);
  EXPECT_EQ(world.done(), "remove a");
  ASSERT_TRUE(world.life.restart(0, world.now)) << "it has ended, the pod has not";
  EXPECT_EQ(world.done(), "create a; start a");
}

TEST(PodRestart, WhenAskedEndsTheWaitOfABackOff) {
  World world(test_pod({test_container("a")}));
  world.start();
  world.exit("a", 1);
  world.exit("a", 1);
  world.done();
  ASSERT_TRUE(world.life.restart(0, world.now));
  EXPECT_EQ(world.done(), "create a; start a");
}

TEST(PodRestart, IsRefusedWhereItMakesNoSense) {
  World world(test_pod({test_container("i", Role::kInit), test_container("a")}));
  EXPECT_EQ(world.life.restart(1, world.now).error().text, "the pod has not been started");
  world.start();
  EXPECT_NE(world.life.restart(1, world.now).error().text.find("its turn has not come"),
            std::string::npos);
  world.exit("i", 0);
  EXPECT_NE(world.life.restart(0, world.now).error().text.find("has done its work"),
            std::string::npos);
  EXPECT_FALSE(world.life.restart(2, world.now));
  world.stop(0);
  EXPECT_FALSE(world.life.restart(1, world.now));
}

}  // namespace
}  // namespace ocirt::pod
