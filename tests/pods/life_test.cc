// A pod's life through the services of its shim, looked at from inside of its containers.
#include <signal.h>

#include "src/wire/service.h"
#include "tests/pods/pod_fixture.h"

namespace harness {
namespace {

namespace wire = ocirt::wire;
using ocirt::pod::EndReason;
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

TEST_F(PodLife, ContainersAreChildrenOfTheShim) {
  TestPod pod(pods_root(), new_name());
  pod.add("c", "sleep 60");
  pod.launch();
  const pid_t init = pod.container("c").process.pid;
  const std::string stat = read_file("/proc/" + std::to_string(init) + "/stat");
  EXPECT_EQ(words(stat.substr(stat.rfind(')') + 1))[1], std::to_string(pod.shim_pid()));
}

TEST_F(PodLife, OcirtSeesThePodsContainers) {
  TestPod pod(pods_root(), new_name());
  pod.add("c", "sleep 60");
  pod.launch();
  const Runtime of_pod(pod.layout().runtime_root());
  EXPECT_EQ(of_pod.status("c"), "running");
}

TEST_F(PodLife, EndsWhenItsContainersHave) {
  TestPod pod(pods_root(), new_name());
  pod.add("good", "exit 0");
  pod.add("bad", "exit 7");
  pod.launch();
  ASSERT_TRUE(pod.becomes([](const PodStatus& status) { return !status.finished_at.empty(); }));
  const PodStatus status = pod.status();
  EXPECT_EQ(status.phase, Phase::kFailed);
  EXPECT_EQ(status.find("good")->state.terminated->exit_code, 0);
  EXPECT_EQ(status.find("bad")->state.terminated->exit_code, 7);
  EXPECT_EQ(status.find("bad")->state.terminated->reason, EndReason::kError);
}

TEST_F(PodLife, WaitAnswersWhenThePodHasEnded) {
  TestPod pod(pods_root(), new_name());
  pod.add("c", "sleep 0.3");
  pod.launch();
  auto request = wire::blank<wire::WaitSandboxRequest>();
  request.sandbox_id = wire::lend(pod.name());
  auto answer = pod.call<wire::WaitSandboxResponse>(wire::kSandboxV1, "WaitSandbox", request);
  ASSERT_TRUE(answer) << answer.error().text;
  EXPECT_EQ((*answer)->exit_status, 0u);
  EXPECT_EQ(pod.status().phase, Phase::kSucceeded);
}

TEST_F(PodLife, OutputIsLoggedWithTimesAndStreams) {
  TestPod pod(pods_root(), new_name());
  pod.add("c",
          "echo to out; echo to err >&2; printf half; until [ -e /go ]; do sleep 0.01; done; "
          "echo ' a line'");
  pod.launch();
  ASSERT_TRUE(pod.log_has("c", "half"));
  write_file(pod.bundle("c").rootfs("/go"), "");
  ASSERT_TRUE(pod.becomes([](const PodStatus& status) { return !status.finished_at.empty(); }));
  const std::string file = read_file(pod.layout().log("c"));
  EXPECT_SAYS(file, "Z stdout F to out\n");
  EXPECT_SAYS(file, "Z stderr F to err\n");
  EXPECT_SAYS(file, "Z stdout P half\n");
  EXPECT_SAYS(file, "Z stdout F  a line\n");
}

TEST_F(PodLife, LastWordsAreInTheLogWhenTheExitIsKnown) {
  TestPod pod(pods_root(), new_name());
  pod.add("c", "seq 1 20000");
  pod.launch();
  ASSERT_TRUE(pod.becomes([](const PodStatus& status) { return !status.finished_at.empty(); }));
  EXPECT_EQ(lines(pod.log("c")).size(), 20000u);
}

TEST_F(PodLife, LogsAreRotatedBySize) {
  TestPod pod(pods_root(), new_name());
  auto& spec = pod.add("c", "seq 1 3000");
  spec.log_max_bytes = 20000;
  spec.log_max_files = 3;
  pod.launch();
  ASSERT_TRUE(pod.becomes([](const PodStatus& status) { return !status.finished_at.empty(); }));
  for (uint32_t i = 0; i < 3; ++i) {
    EXPECT_LE(read_file(pod.layout().log("c", i)).size(), 20000u);
    EXPECT_GT(read_file(pod.layout().log("c", i)).size(), 0u);
  }
  EXPECT_FALSE(exists(pod.layout().log("c", 3)));
  EXPECT_SAYS(read_file(pod.layout().log("c")), "F 3000\n");
}

TEST_F(PodLife, UserOfTheContainerMayOpenItsStandardOutputAgain) {
  TestPod pod(pods_root(), new_name());
  pod.add("c", "echo again >/dev/stdout");
  pod.bundle("c").set("process.user", R"({"uid": 1000, "gid": 1000})");
  pod.launch();
  EXPECT_TRUE(pod.log_has("c", "again")) << pod.log("c");
}

TEST_F(PodLife, EventsTellWhatHappened) {
  TestPod pod(pods_root(), new_name());
  pod.add("c", "exit 3");
  pod.launch();
  ASSERT_TRUE(pod.becomes([](const PodStatus& status) { return !status.finished_at.empty(); }));
  const std::string events = pod.events();
  size_t at = 0;
  for (const char* type : {"Starting", "Created", "Started", "Exited", "Ended"}) {
    const size_t found = events.find(std::string("\"type\":\"") + type, at);
    ASSERT_NE(found, std::string::npos) << type << " is missing or too early in\n" << events;
    at = found;
  }
}

TEST_F(PodLife, OverlaysOfTwoContainersDoNotSeeEachOther) {
  TestPod pod(pods_root(), new_name());
  const std::string image = scratch() + "/image";
  make_rootfs(image);
  for (const char* name : {"one", "two"}) {
    auto& spec = pod.add(name, "sleep 60");
    remove_tree(pod.bundle(name).rootfs());
    spec.rootfs = ocirt::pod::Rootfs{.source = image};
  }
  pod.pod.grace_seconds = 0;
  pod.launch();
  pod.exec_shell("one", "echo mine >/file");
  EXPECT_EQ(pod.exec_shell("one", "cat /file"), "mine");
  EXPECT_EQ(pod.exec_shell("two", "ls /file 2>/dev/null || echo none"), "none");
  EXPECT_FALSE(exists(image + "/file"));
  EXPECT_EQ(pod.shutdown(), "");
  EXPECT_FALSE(exists(pod.layout().state_directory()));
}

// Below another --root a pod may have the same name; their layers would be the same directories.
TEST_F(PodLife, LayersOfAnotherPodOfTheNameAreNotTouched) {
  const std::string image = scratch() + "/image";
  make_rootfs(image);
  TestPod pod(pods_root(), new_name());
  TestPod other(pods_root() + "/other", pod.name());
  for (TestPod* each : {&pod, &other}) {
    auto& spec = each->add("a", "sleep 60");
    remove_tree(each->bundle("a").rootfs());
    spec.rootfs = ocirt::pod::Rootfs{.source = image};
    each->pod.uid = each == &pod ? "one" : "two";
    each->pod.grace_seconds = 0;
  }
  pod.launch();
  pod.exec_shell("a", "echo mine >/file");
  EXPECT_NE(other.create(), "");
  EXPECT_EQ(pod.exec_shell("a", "echo more >>/file; cat /file"), "mine\nmore");
  EXPECT_EQ(pod.shutdown(), "");
  EXPECT_FALSE(exists(pod.layout().state_directory()));
}

// As after the machine was booted anew: the disk has them, and nothing else is left of the pod.
TEST_F(PodLife, LayersOfAPodThatIsGoneAreNotSeen) {
  const std::string image = scratch() + "/image";
  make_rootfs(image);
  TestPod pod(pods_root(), new_name());
  auto& spec = pod.add("a", "sleep 60");
  remove_tree(pod.bundle("a").rootfs());
  spec.rootfs = ocirt::pod::Rootfs{.source = image};
  pod.pod.grace_seconds = 0;
  const std::string left = pod.layout().upper("a");
  make_directories(left);
  write_file(left + "/secret", "of an earlier pod");
  write_file(pod.layout().state_directory() + "/.owner", "gone\n/nonexistent/pod\n");
  pod.launch();
  EXPECT_EQ(pod.exec_shell("a", "ls /secret 2>/dev/null || echo none"), "none");
  EXPECT_EQ(pod.shutdown(), "");
  EXPECT_FALSE(exists(pod.layout().state_directory()));
}

TEST_F(PodLife, MountsOfThePodAreSharedByItsContainers) {
  TestPod pod(pods_root(), new_name());
  pod.pod.mounts.push_back({.target = "volumes/cache",
                            .type = ocirt::pod::MountType::kTmpfs,
                            .options = {"size=64k", "mode=1777"}});
  for (const char* name : {"one", "two"}) {
    pod.add(name, "sleep 60");
    pod.bundle(name).mount("/cache", "none", pod.layout().volume("cache"), {"bind"});
  }
  pod.launch();
  pod.exec_shell("one", "echo shared >/cache/file");
  EXPECT_EQ(pod.exec_shell("two", "cat /cache/file"), "shared");
  EXPECT_EQ(pod.exec_shell("two", "df -k /cache | tail -n 1 | awk '{print $2}'"), "64");
}

TEST_F(PodLife, SysctlsAreThoseOfThePodsNamespaces) {
  TestPod pod(pods_root(), new_name());
  pod.pod.sysctls.emplace_back("net.ipv4.ip_unprivileged_port_start", "77");
  pod.pod.sysctls.emplace_back("kernel.shm_rmid_forced", "1");
  pod.add("c", "sleep 60");
  pod.launch();
  EXPECT_EQ(pod.exec_shell("c", "cat /proc/sys/net/ipv4/ip_unprivileged_port_start"), "77");
  EXPECT_EQ(pod.exec_shell("c", "cat /proc/sys/kernel/shm_rmid_forced"), "1");
  EXPECT_EQ(trim(read_file("/proc/sys/kernel/shm_rmid_forced")), "0");
}

TEST_F(PodLife, LimitsOfThePodAreThoseOfItsCgroup) {
  NEEDS_CONTROLLER("pids");
  TestPod pod(pods_root(), new_name());
  pod.pod.resources.emplace();
  pod.pod.resources->pids.emplace();
  pod.pod.resources->pids->limit = 55;
  pod.add("c", "sleep 60");
  pod.launch();
  EXPECT_EQ(trim(read_file(cgroups::directory("pids", pod.pod.cgroup) + "/pids.max")), "55");
}

TEST_F(PodLife, ShimEndsWithItsPod) {
  TestPod pod(pods_root(), new_name());
  pod.add("c", "sleep 60");
  pod.pod.grace_seconds = 0;
  pod.launch();
  const pid_t shim = pod.shim_pid();
  EXPECT_EQ(pod.shutdown(), "");
  EXPECT_TRUE(wait_for_end(shim));
}

TEST_F(PodLife, TermTakesThePodAway) {
  TestPod pod(pods_root(), new_name());
  pod.add("c", "exec sleep 60");
  pod.pod.grace_seconds = 0;
  pod.launch();
  const pid_t shim = pod.shim_pid();
  ::kill(shim, SIGTERM);
  EXPECT_TRUE(wait_for_end(shim));
  EXPECT_FALSE(exists(pod.layout().directory()));
}

}  // namespace
}  // namespace harness
