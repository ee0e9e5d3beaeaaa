// A shim that is killed in the middle of something, and the one that goes on from there: whatever
// the moment was, each container comes to run, once.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/base/text.h"
#include "tests/pods/pod_fixture.h"

namespace harness {
namespace {

using ocirt::cat;
using ocirt::pod::ContainerStatus;
using ocirt::pod::Phase;
using ocirt::pod::PodStatus;
using ocirt::pod::RestartPolicy;
using ocirt::pod::Role;
using ocirt::pod::WaitingReason;

using PodAdoption = PodTest;

// How many processes of this machine have this command line.
int processes(const std::vector<std::string>& args) {
  int count = 0;
  std::string wanted;
  for (const std::string& arg : args) wanted += arg + '\0';
  for (const std::string& entry : names_in("/proc")) {
    if (entry.find_first_not_of("0123456789") != std::string::npos) continue;
    try {
      count += read_file("/proc/" + entry + "/cmdline") == wanted;
    } catch (const std::exception&) {
    }  // it has ended
  }
  return count;
}

// Stops a pod whose first shim was killed while a command ran in a container. That process is an
// orphan of ours, and a pid namespace ends only when all who came into it from outside have been
// reaped by their parent: init does that on a machine, and here it is us.
bool stops_while_we_reap(TestPod& pod) {
  const pid_t stopper = in_background([&] { return pod.stop(0).empty(); });
  for (;;) {
    int status = 0;
    const pid_t ended = ::waitpid(-1, &status, 0);
    if (ended == stopper) return status == 0;
    if (ended < 0) return false;
  }
}

TEST_F(PodAdoption, AtAnyMomentOfAStartEveryContainerComesToRunOnce) {
  for (int step = 0; step < 16; ++step) {
    SCOPED_TRACE(cat("killed after ", step * 6, " ms"));
    TestPod pod(pods_root(), new_name());
    // Nobody else sleeps for so long.
    const auto length = [&](int which) {
      return std::to_string(70'000'000 + ::getpid() * 10 + which);
    };
    pod.add("i", "sleep 0.02; test -e /once || { touch /once; exit 1; }", Role::kInit).restart =
        RestartPolicy::kOnFailure;
    pod.add("s", cat("exec sleep ", length(1)), Role::kSidecar);
    pod.add("a", cat("exec sleep ", length(2))).restart = RestartPolicy::kAlways;
    ocirt::pod::Container& b = pod.add("b", cat("exec sleep ", length(3)));
    b.restart = RestartPolicy::kAlways;
    b.post_start.emplace().exec = {"sh", "-c", "sleep 0.02; touch /greeted"};
    ASSERT_EQ(pod.create(), "");
    const pid_t starter = in_background([&] { return pod.start().empty(); });
    sleep_ms(step * 6);
    pod.kill_shim();
    ASSERT_TRUE(wait_for_end(starter));
    ASSERT_OK(pod.shim({"--adopt"}));
    if (pod.status().started_at.empty()) {
      ASSERT_EQ(pod.start(), "");
    }
    const bool runs = pod.becomes([](const PodStatus& status) {
      return status.phase == Phase::kRunning && status.condition("Ready");
    });
    ASSERT_TRUE(runs) << read_file(pod.layout().state_json()) << pod.events();
    // A shell has to execute it first.
    for (int which : {1, 2, 3}) {
      EXPECT_TRUE(eventually([&] { return processes({"sleep", length(which)}) >= 1; })) << which;
    }
    for (int which : {1, 2, 3}) EXPECT_EQ(processes({"sleep", length(which)}), 1) << which;
    EXPECT_TRUE(exists(pod.bundle("b").rootfs("/greeted")));
    EXPECT_TRUE(stops_while_we_reap(pod)) << read_file(pod.layout().state_json());
    for (int which : {1, 2, 3}) EXPECT_EQ(processes({"sleep", length(which)}), 0) << which;
    if (HasFailure()) return;
  }
}

TEST_F(PodAdoption, AStopGoesOnWithItsDeadline) {
  TestPod pod(pods_root(), new_name());
  pod.add("a", "trap '' TERM; echo ready; while :; do sleep 0.02; done").restart =
      RestartPolicy::kAlways;
  pod.launch();
  ASSERT_TRUE(pod.log_has("a", "ready"));
  const pid_t stopper = in_background([&] { return pod.stop(2).empty(); });
  ASSERT_TRUE(pod.becomes([](const PodStatus& status) { return status.reason.has_value(); }));
  pod.kill_shim();
  ASSERT_TRUE(wait_for_end(stopper));
  ASSERT_OK(pod.shim({"--adopt"}));
  // On a slow machine the deadline has passed meanwhile.
  const ContainerStatus a = pod.container("a");
  EXPECT_TRUE(a.stopping || a.state.terminated);
  ASSERT_TRUE(pod.becomes([](const PodStatus& status) { return !status.finished_at.empty(); }));
  EXPECT_EQ(pod.status().reason, ocirt::pod::StopReason::kStopped);
  EXPECT_EQ(pod.status().phase, Phase::kFailed);
}

TEST_F(PodAdoption, TheCountOfRestartsAndTheLengthOfTheWaitGoOn) {
  TestPod pod(pods_root(), new_name());
  pod.pod.restart_backoff_ms = 300;
  pod.pod.restart_backoff_max_ms = 60000;
  pod.add("a", "exit 1").restart = RestartPolicy::kAlways;
  pod.launch();
  // On a slow machine it may be one more at any time.
  ContainerStatus a;
  const auto waits_after = [&](uint32_t restarts) {
    return eventually([&] {
      a = pod.container("a");
      return a.restart_count >= restarts && a.state.waiting &&
             a.state.waiting->reason == WaitingReason::kCrashLoopBackOff;
    });
  };
  ASSERT_TRUE(waits_after(2));
  const uint32_t before = a.restart_count;
  pod.kill_shim();
  ASSERT_OK(pod.shim({"--adopt"}));
  EXPECT_GE(pod.container("a").restart_count, before);
  ASSERT_TRUE(waits_after(before + 1));
  EXPECT_EQ(a.last_terminated->exit_code, 1);
  EXPECT_SAYS(a.state.waiting->message, cat(300 << (a.restart_count - 1), " ms"));
}

}  // namespace
}  // namespace harness
