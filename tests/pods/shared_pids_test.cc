// Pods whose containers share one pid namespace (shareProcessNamespace).
#include <signal.h>

#include "tests/pods/pod_fixture.h"

namespace harness {
namespace {

using ocirt::pod::RestartPolicy;

class SharedPids : public PodTest {
 protected:
  std::unique_ptr<TestPod> sharing_pod() {
    auto pod = std::make_unique<TestPod>(pods_root(), new_name());
    pod->pod.share_pid = true;
    pod->add("one", "exec sleep 1234").restart = RestartPolicy::kAlways;
    pod->add("two", "exec sleep 4321");
    pod->launch();
    return pod;
  }
};

TEST_F(SharedPids, ContainersSeeEachOther) {
  auto pod = sharing_pod();
  const std::string seen = pod->exec_shell("one", "ps");
  EXPECT_SAYS(seen, "sleep 1234");
  EXPECT_SAYS(seen, "sleep 4321");
  EXPECT_EQ(pod->exec_shell("one", "readlink /proc/self/ns/pid"),
            pod->exec_shell("two", "readlink /proc/self/ns/pid"));
}

TEST_F(SharedPids, FirstProcessReapsOrphans) {
  auto pod = sharing_pod();
  pod->exec_shell("one", "(sh -c 'usleep 50000 & exit' &) ; sleep 0.3");
  EXPECT_TRUE(eventually([&] {
    return pod->exec_shell("one", "cat /proc/[0-9]*/stat 2>/dev/null | grep -c ') Z '; true") ==
           "0";
  }));
}

TEST_F(SharedPids, FirstProcessHasNothingToOffer) {
  auto pod = sharing_pod();
  EXPECT_EQ(pod->exec_shell("one", "tr -d '\\0' < /proc/1/cmdline"), "pause");
  EXPECT_EQ(pod->exec_shell("one", "cat /proc/1/comm"), "pause");
  for (const char* link : {"exe", "root", "cwd"})
    EXPECT_EQ(pod->exec_shell("one", std::string("readlink /proc/1/") + link + " || echo none"),
              "none");
  EXPECT_EQ(pod->exec_shell("one", "ls /proc/1/fd 2>/dev/null; ls /proc/1/root/ 2>/dev/null; true"),
            "");
  EXPECT_SAYS(pod->exec_shell("one", "grep CapEff /proc/1/status"), "0000000000000000");
}

TEST_F(SharedPids, FirstProcessIsNotEndedFromInside) {
  auto pod = sharing_pod();
  (void)pod->exec("one", {"sh", "-c", "kill -TERM 1; kill -KILL 1; kill -INT 1"});
  EXPECT_EQ(pod->exec_shell("two", "cat /proc/1/comm"), "pause");
}

TEST_F(SharedPids, ContainerThatEndsTakesItsOwnProcessesAndNoOthers) {
  auto pod = sharing_pod();
  pod->exec_shell("one", "setsid sleep 777 >/dev/null 2>&1 </dev/null &");
  EXPECT_SAYS(pod->exec_shell("two", "ps"), "sleep 777");
  ::kill(pod->container("one").process.pid, SIGKILL);
  ASSERT_TRUE(eventually([&] {
    const auto one = pod->container("one");
    return one.restart_count == 1 && one.state.running.has_value();
  }));
  const std::string seen = pod->exec_shell("two", "ps");
  EXPECT_EQ(seen.find("sleep 777"), std::string::npos) << seen;
  EXPECT_SAYS(seen, "sleep 4321");
}

}  // namespace
}  // namespace harness
