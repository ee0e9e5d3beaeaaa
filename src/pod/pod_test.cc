#include "src/pod/pod.h"

#include <gtest/gtest.h>

#include "src/base/text.h"
#include "src/pod/paths.h"
#include "src/pod/test_world.h"

namespace ocirt::pod {
namespace {

// Every member has a value that is not its default, so that a row that is missing shows.
Pod example() {
  Probe http;
  http.http = HttpGet{"example.org", 8080, "/ready?a=b", Scheme::kHttp, {{"X-A", "b c"}}};
  http.initial_delay_seconds = 1;
  http.period_seconds = 2;
  http.timeout_seconds = 3;
  http.failure_threshold = 4;
  Probe tcp;
  tcp.tcp = TcpSocket{"127.0.0.1", 5432};
  tcp.termination_grace_seconds = 9;
  Probe exec;
  exec.exec = {"/bin/test", "-e", "/x y"};
  Container init;
  init.name = "i";
  init.role = Role::kInit;
  init.bundle = "/b/i";
  init.restart = RestartPolicy::kNever;
  Container app;
  app.name = "web-1";
  app.role = Role::kApp;
  app.bundle = "/b/web";
  app.rootfs = Rootfs{RootfsType::kBind, "/lower", {"ro"}};
  app.restart = RestartPolicy::kOnFailure;
  app.tty = true;
  app.stdin_open = true;
  app.startup = exec;
  app.liveness = tcp;
  app.readiness = http;
  app.readiness->success_threshold = 2;
  app.post_start.emplace().exec = {"/bin/true"};
  app.pre_stop.emplace().sleep_seconds = 3;
  app.stop_signal = 3;
  app.log_max_bytes = 4096;
  app.log_max_files = 2;
  Pod pod;
  pod.name = "front-0";
  pod.uid = "b1c5";
  pod.hostname = "front";
  pod.labels.set("app", "front");
  pod.annotations.set("note", "");
  pod.cgroup = "/ocirt/front-0";
  pod.resources.emplace().memory.emplace().limit = 1 << 20;
  pod.share_pid = true;
  pod.host_ipc = true;
  pod.host_uts = true;
  pod.network.mode = NetworkMode::kCni;
  pod.network.cni = "net1";
  pod.network.ports = {{"web-1", "http", "10.0.0.1", 80, 8080, Protocol::kTcp},
                       {"web-1", "", "", 53, 0, Protocol::kUdp}};
  pod.grace_seconds = 7;
  pod.active_deadline_seconds = 60;
  pod.restart_backoff_ms = 10;
  pod.restart_backoff_max_ms = 20;
  pod.restart_backoff_reset_ms = 30;
  pod.mounts = {{"shm", MountType::kTmpfs, "", "", {"size=1m"}},
                {"subpaths/web/0", MountType::kBind, "/data", "a/b", {"ro"}}};
  pod.sysctls.set("net.core.somaxconn", "10");
  pod.containers = {init, app};
  return pod;
}

std::string error_of(const Pod& pod) {
  Result<> valid = check_pod(pod);
  return valid ? "" : valid.error().text;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(PodJson, SurvivesWritingAndReading) {
  Result<Pod> back = read_pod(write_pod(example()));
  ASSERT_TRUE(back) << back.error().text;
  EXPECT_EQ(*back, example());
}

TEST(PodJson, WithoutWhatIsOptionalGetsTheDefaultsOfKubernetes) {
  Result<Pod> pod = read_pod(
      R"({"version":1,"pod":{"name":"p","uid":"u","cgroup":"/ocirt/p","network":{"mode":"bridge"},
          "containers":[{"name":"a","role":"app","bundle":"/b",
                         "livenessProbe":{"tcpSocket":{"port":1}}}]}})");
  ASSERT_TRUE(pod) << pod.error().text;
  EXPECT_EQ(pod->grace_seconds, 30u);
  EXPECT_EQ(pod->restart_backoff_ms, 10'000u);
  EXPECT_EQ(pod->restart_backoff_max_ms, 300'000u);
  EXPECT_EQ(pod->restart_backoff_reset_ms, 600'000u);
  const Container& a = pod->containers[0];
  EXPECT_EQ(a.restart, RestartPolicy::kAlways);
  EXPECT_EQ(a.stop_signal, 15);
  EXPECT_EQ(a.liveness->period_seconds, 10u);
  EXPECT_EQ(a.liveness->timeout_seconds, 1u);
  EXPECT_EQ(a.liveness->failure_threshold, 3u);
}

TEST(PodJson, OfAnotherVersionIsRefusedByName) {
  const std::string text = write_pod(example());
  Result<Pod> other = read_pod(replaced(text, "\"version\":1", "\"version\":2"));
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().text.find("form 2 by another version"), std::string::npos);
  EXPECT_NE(read_pod(R"({"version":3,"else":{}})").error().text.find("form 3"), std::string::npos);
}

TEST(PodJson, ErrorsNameTheProperty) {
  const std::string text = write_pod(example());
  struct Case {
    std::string_view from, to, named;
  };
  for (const Case& one : {Case{"\"role\":\"app\"", "\"role\":\"xapp\"", "pod.containers[1].role"},
                          {"\"periodSeconds\":2", "\"periodSeconds\":0", "periodSeconds"},
                          {"\"containerPort\":80", "\"containerPort\":0", "containerPort"},
                          {"\"containerPort\":80", "\"containerPort\":65536", "containerPort"},
                          {"\"stopSignal\":3", "\"stopSignal\":65", "stopSignal"},
                          {"\"name\":\"web-1\",\"role\"", "\"name\":\"Web\",\"role\"",
                           "containers[1]: name: \"Web\" must be 1 to 63"}}) {
    Result<Pod> pod = read_pod(replaced(text, one.from, one.to), "x.json");
    ASSERT_FALSE(pod) << one.to;
    EXPECT_TRUE(pod.error().text.starts_with("x.json:")) << pod.error().text;
    EXPECT_NE(pod.error().text.find(one.named), std::string::npos) << pod.error().text;
  }
}

// One change of the example, and a word of the refusal.
TEST(PodRules, RefuseWhatCannotBeCarriedOut) {
  struct Case {
    void (*change)(Pod&);
    std::string_view word;
  };
  const Case cases[] = {
      {[](Pod& p) { p.name = "Front"; }, "name: \"Front\""},
      {[](Pod& p) { p.uid = ""; }, "uid"},
      {[](Pod& p) { p.cgroup = "x"; }, "cgroup"},
      {[](Pod& p) { p.network.cni = ""; }, "network.cni"},
      {[](Pod& p) { p.restart_backoff_max_ms = 9; }, "restartBackoffMaxMs"},
      {[](Pod& p) { p.restart_backoff_ms = 0; }, "restartBackoffMaxMs"},
      {[](Pod& p) { p.mounts[0].target = "/shm"; }, "mounts[0]: target"},
      {[](Pod& p) { p.mounts[0].target = "a/../../b"; }, "mounts[0]: target"},
      {[](Pod& p) { p.mounts[1].inside = "../b"; }, "mounts[1]: inside"},
      {[](Pod& p) { p.mounts[1].source = ""; }, "mounts[1]: source"},
      {[](Pod& p) { p.sysctls.set("net/../../x", "1"); }, "sysctls"},
      {[](Pod& p) { p.containers[1].name = "i"; }, "containers[1].name: \"i\" is the name of"},
      {[](Pod& p) { p.containers[1].bundle = "b"; }, "bundle"},
      {[](Pod& p) { p.containers[1].rootfs->source = "b"; }, "rootfs.source"},
      {[](Pod& p) { p.containers[0].liveness = p.containers[1].liveness; }, "sidecar"},
      {[](Pod& p) { p.containers[0].role = Role::kSidecar; }, "restart: must be Always"},
      {[](Pod& p) { std::swap(p.containers[0], p.containers[1]); }, "must stand before the apps"},
      {[](Pod& p) { p.containers.pop_back(); }, "no app"},
      {[](Pod& p) { p.containers[1].startup->tcp = TcpSocket{"", 1}; }, "exactly one of"},
      {[](Pod& p) { p.containers[1].startup->exec.reset(); }, "exactly one of"},
      {[](Pod& p) { p.containers[1].startup->exec->clear(); }, "no program"},
      {[](Pod& p) { p.containers[1].startup->success_threshold = 2; }, "successThreshold"},
      {[](Pod& p) { p.containers[1].readiness->termination_grace_seconds = 2; },
       "a readiness probe ends nothing"},
      {[](Pod& p) { p.containers[1].readiness->http->path = "x"; }, "path"},
      {[](Pod& p) { p.containers[1].readiness->http->path = "/ HTTP/1.1\r\nX: y"; }, "path"},
      {[](Pod& p) { p.containers[1].readiness->http->host = "a b"; }, "host"},
      {[](Pod& p) { p.containers[1].readiness->http->scheme = Scheme::kHttps; }, "not supported"},
      {[](Pod& p) { p.containers[1].readiness->http->headers[0].value = "a\r\nB: c"; }, "X-A"},
      {[](Pod& p) { p.containers[1].readiness->http->headers[0].name = "a:b"; }, "a:b"},
      {[](Pod& p) { p.containers[1].post_start->sleep_seconds = 2; },
       "postStart: must have exactly"},
      {[](Pod& p) { p.containers[1].pre_stop->sleep_seconds.reset(); },
       "preStop: must have exactly"},
      {[](Pod& p) { p.network.ports[0].container = "x"; }, "there is no container \"x\""},
      {[](Pod& p) {
         p.network.ports[1].host_port = 8080, p.network.ports[1].protocol = Protocol::kTcp;
       },
       "8080/TCP of container web-1 is published by container web-1 too"},
      {[](Pod& p) { p.network.mode = NetworkMode::kNone; }, "cannot be published"},
  };
  EXPECT_EQ(error_of(example()), "");
  for (const Case& one : cases) {
    Pod pod = example();
    one.change(pod);
    EXPECT_NE(error_of(pod).find(one.word), std::string::npos) << one.word << "\n" << error_of(pod);
  }
}

TEST(PodRules, OnePortIsOfOneContainer) {
  Pod pod = example();
  Container other = pod.containers[1];
  other.name = "db";
  pod.containers.push_back(other);
  pod.network.ports.push_back({"db", "", "", 80, 0, Protocol::kUdp});
  EXPECT_EQ(error_of(pod), "") << "another protocol";
  pod.network.ports.back().protocol = Protocol::kTcp;
  EXPECT_EQ(error_of(pod),
            "network.ports[2].containerPort: 80/TCP of container db is declared by container web-1 "
            "too, and all containers of a pod share one port space");
}

TEST(PodRules, APortOfAnInitContainerIsFreeWhenItHasEnded) {
  Pod pod = example();
  Container init = test_container("init", Role::kInit);
  pod.containers.insert(pod.containers.begin(), init);
  pod.network.ports.insert(pod.network.ports.begin(), {"init", "", "", 80, 0, Protocol::kTcp});
  EXPECT_EQ(error_of(pod), "");
  pod.containers[0].role = Role::kSidecar;
  EXPECT_NE(error_of(pod), "");
}

TEST(PodRules, OnePortOfTheHostPerAddress) {
  Pod pod = example();
  pod.network.ports = {{"web-1", "", "10.0.0.1", 80, 8080, Protocol::kTcp},
                       {"web-1", "", "10.0.0.2", 81, 8080, Protocol::kTcp}};
  EXPECT_EQ(error_of(pod), "");
  pod.network.ports[1].host_ip = "";
  EXPECT_NE(error_of(pod), "") << "all addresses are that address too";
  pod.network.ports[1].host_ip = "::";
  EXPECT_NE(error_of(pod), "") << "a socket of IPv6 has those of IPv4 too";
}

TEST(PodNames, AreDnsLabels) {
  for (std::string_view name : {"a", "0", "a-b", "web-0", "a--b"}) {
    EXPECT_TRUE(is_dns_label(name)) << name;
  }
  EXPECT_TRUE(is_dns_label(std::string(63, 'a')));
  EXPECT_FALSE(is_dns_label(std::string(64, 'a')));
  for (std::string_view name : {"", "-a", "a-", "A", "a.b", "a_b", "a/b", "..", "a\n", "ü"}) {
    EXPECT_FALSE(is_dns_label(name)) << name;
  }
}

TEST(PodPaths, LieBelowThePodsDirectory) {
  const Layout layout("/run/ocirt/pods", "front-0");
  EXPECT_EQ(layout.directory(), "/run/ocirt/pods/front-0");
  EXPECT_EQ(layout.pod_json(), "/run/ocirt/pods/front-0/pod.json");
  EXPECT_EQ(layout.namespace_pin("ipc"), "/run/ocirt/pods/front-0/ns/ipc");
  EXPECT_EQ(layout.config_json("web"), "/run/ocirt/pods/front-0/containers/web/config.json");
  EXPECT_EQ(layout.log("web"), "/run/ocirt/pods/front-0/logs/web.log");
  EXPECT_EQ(layout.log("web", 2), "/run/ocirt/pods/front-0/logs/web.log.2");
  EXPECT_EQ(layout.upper("web"), "/var/lib/ocirt/pods/front-0/web/upper");
  EXPECT_EQ(layout.on_disk("volumes/v"), "/var/lib/ocirt/pods/front-0/.volumes/v");
  // While it is taken away it has no name of a pod.
  EXPECT_EQ(layout.removed(), "/run/ocirt/pods/.removed-front-0");
  EXPECT_TRUE(is_removed(".removed-front-0"));
  EXPECT_FALSE(is_removed("front-0"));
  EXPECT_EQ(network_pin("front-0"), "/run/netns/ocirt-front-0");
  // sun_path has room for 107 bytes, with the longest name at the usual root.
  EXPECT_LE(Layout("/run/user/4294967295/ocirt/pods", std::string(63, 'a')).socket().size(), 107u);
}

TEST(PodPaths, RootIsTheUsersOwnWithoutPrivileges) {
  EXPECT_EQ(pods_root("", "/run/user/7", true), "/run/ocirt/pods");
  EXPECT_EQ(pods_root("", "/run/user/7", false), "/run/user/7/ocirt/pods");
  EXPECT_EQ(pods_root("", "", false), "/run/ocirt/pods");
  EXPECT_EQ(pods_root("/x", "/run/user/7", false), "/x");
}

}  // namespace
}  // namespace ocirt::pod
