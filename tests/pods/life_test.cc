// A pod's life through the services of its shim, looked at from inside of its containers.
#include "tests/pods/pod_fixture.h"

namespace harness {
namespace {

using ocirt::pod::Phase;
using ocirt::pod::PodStatus;
using ocirt::pod::RestartPolicy;
using ocirt::pod::Role;

using PodLife = PodTest;

TEST_F(PodLife, TwoContainersShareNetworkIpcAndHostNameAndNothingElse) {
  TestPod pod(pods_root(), new_name());
  pod.add("one", "sleep 60");
  pod.add("two", "sleep 60");
  pod.launch();
  ASSERT_TRUE(pod.container_runs("one") && pod.container_runs("two"));
  auto both = [&](const std::string& script) {
    return std::pair(pod.exec_shell("one", script), pod.exec_shell("two", script));
  };
  for (const char* kind : {"net", "ipc", "uts"}) {
    const auto [one, two] = both(std::string("readlink /proc/self/ns/") + kind);
    EXPECT_EQ(one, two) << kind;
    EXPECT_NE(one, link_target(std::string("/proc/self/ns/") + kind)) << kind;
  }
  for (const char* kind : {"mnt", "pid"}) {
    const auto [one, two] = both(std::string("readlink /proc/self/ns/") + kind);
    EXPECT_NE(one, two) << kind;
  }
  const auto [one, two] = both("hostname");
  EXPECT_EQ(one, "pod-host");
  EXPECT_EQ(two, "pod-host");
  EXPECT_EQ(pod.stop(0), "");
  EXPECT_EQ(pod.shutdown(), "");
  EXPECT_FALSE(exists(pod.layout().directory()));
}

}  // namespace
}  // namespace harness
