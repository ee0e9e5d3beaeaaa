// Probes, handlers and memory limits: what the shim finds out about containers that run.
#include <signal.h>

#include "tests/pods/pod_fixture.h"

namespace harness {
namespace {

using ocirt::pod::EndReason;
using ocirt::pod::Handler;
using ocirt::pod::HttpGet;
using ocirt::pod::PodStatus;
using ocirt::pod::Probe;
using ocirt::pod::RestartPolicy;
using ocirt::pod::Role;
using ocirt::pod::TcpSocket;

class PodProbe : public PodTest {
 protected:
  static Probe often(Probe probe) {
    probe.period_seconds = 1;
    probe.failure_threshold = 1;
    return probe;
  }
};

TEST_F(PodProbe, CommandInTheContainerDecidesWhetherItIsReady) {
  TestPod pod(pods_root(), new_name());
  Probe probe = often({});
  probe.exec = {"test", "-e", "/tmp/ready"};
  pod.add("c", "exec sleep 60").readiness = probe;
  pod.launch();
  EXPECT_FALSE(pod.container("c").ready);
  pod.exec_shell("c", "touch /tmp/ready");
  EXPECT_TRUE(pod.becomes([](const PodStatus& status) { return status.find("c")->ready; }));
  pod.exec_shell("c", "rm /tmp/ready");
  EXPECT_TRUE(pod.becomes([](const PodStatus& status) { return !status.find("c")->ready; }));
  EXPECT_EQ(pod.container("c").restart_count, 0u);
}

TEST_F(PodProbe, ConnectionInThePodsNetworkDecides) {
  TestPod pod(pods_root(), new_name());
  Probe probe = often({});
  probe.tcp = TcpSocket{.port = 7777};
  pod.add("c", "exec sleep 60").readiness = probe;
  pod.launch();
  EXPECT_FALSE(pod.becomes([](const PodStatus& status) { return status.find("c")->ready; }, 1500));
  pod.exec_shell("c", "busybox nc -ll -p 7777 -e true >/dev/null 2>&1 </dev/null &");
  EXPECT_TRUE(pod.becomes([](const PodStatus& status) { return status.find("c")->ready; }))
      << pod.events();
}

TEST_F(PodProbe, HttpStatusDecides) {
  TestPod pod(pods_root(), new_name());
  Probe probe = often({});
  probe.http = HttpGet{.port = 8080, .path = "/health"};
  probe.initial_delay_seconds = 1;  // of a series of failures the first is told: not "refused"
  pod.add("c",
          "echo 'printf \"HTTP/1.0 $(cat /tmp/status) X\\r\\n\\r\\n\"' >/tmp/serve; echo 503 "
          ">/tmp/status; "
          "exec busybox nc -ll -p 8080 -e sh /tmp/serve")
      .readiness = probe;
  pod.launch();
  EXPECT_TRUE(eventually([&] { return pod.events().find("503") != std::string::npos; }))
      << pod.events();
  EXPECT_FALSE(pod.container("c").ready);
  pod.exec_shell("c", "echo 200 >/tmp/status");
  EXPECT_TRUE(pod.becomes([](const PodStatus& status) { return status.find("c")->ready; }))
      << pod.events();
}

// Answers by the path that is asked for; everything that it was asked is in /tmp/asked.
constexpr char kServer[] =
    "cat >/tmp/serve <<'END'\n"
    "read -r word path more; echo $path >>/tmp/asked\n"
    "here() { printf \"HTTP/1.1 302 X\\r\\nServer: x\\r\\nlocation:  $1 \\r\\n\\r\\n\"; }\n"
    "case $path in\n"
    "/away) here http://192.0.2.1/x;;\n"
    "/safe) here https://$(cat /tmp/host)/x;;\n"
    "/loop) here /loop;;\n"
    "/a/b) here ../c?d#e;;\n"
    "/c?d) here http://$(cat /tmp/host):8081/status;;\n"
    "/early) printf 'HTTP/1.1 103 X\\r\\nLink: x\\r\\n\\r\\nHTTP/1.1 200 OK\\r\\n\\r\\n';;\n"
    "/switch) printf 'HTTP/1.1 101 X\\r\\n\\r\\n';;\n"
    "/status) printf \"HTTP/1.1 $(cat /tmp/status) X\\r\\n\\r\\n\";;\n"
    "esac\nEND\n"
    "echo 127.0.0.1 >/tmp/host; echo 200 >/tmp/status\n"
    "busybox nc -ll -p 8081 -e sh /tmp/serve & exec busybox nc -ll -p 8080 -e sh /tmp/serve";

TEST_F(PodProbe, RedirectsAreFollowedOnTheSameHost) {
  TestPod pod(pods_root(), new_name());
  const auto with = [&](const char* container, const char* path) {
    Probe probe = often({});
    probe.http = HttpGet{.host = "127.0.0.1", .port = 8080, .path = path};
    probe.initial_delay_seconds = 1;
    probe.timeout_seconds = 10;  // nc has no room for all of them at once
    pod.add(container, container[0] == 'c' ? kServer : "exec sleep 60").readiness = probe;
  };
  with("c", "/a/b");
  with("away", "/away");
  with("safe", "/safe");
  with("loop", "/loop");
  with("early", "/early");
  with("switch", "/switch");
  pod.launch();
  for (const char* good : {"c", "away", "safe", "early"}) {
    EXPECT_TRUE(eventually([&] { return pod.container(good).ready; })) << good << pod.events();
  }
  EXPECT_TRUE(eventually([&] { return says(pod.events(), "stopped after 10 redirects"); }));
  EXPECT_TRUE(eventually([&] { return says(pod.events(), "HTTP status 101"); }));
  EXPECT_FALSE(pod.container("loop").ready);
  EXPECT_FALSE(pod.container("switch").ready);
  EXPECT_SAYS(pod.exec_shell("c", "cat /tmp/asked"), "/status");
  pod.exec_shell("c", "echo 500 >/tmp/status");
  EXPECT_TRUE(pod.becomes([](const PodStatus& status) { return !status.find("c")->ready; }));
  EXPECT_SAYS(pod.events(), "redirected to /status of port 8081: HTTP status 500");
}

TEST_F(PodProbe, ContainerThatIsNotAliveIsRestarted) {
  TestPod pod(pods_root(), new_name());
  Probe probe = often({});
  probe.exec = {"sh", "-c", "echo it looks bad; exit 4"};
  probe.termination_grace_seconds = 1;
  auto& spec = pod.add("c", "exec sleep 60");
  spec.restart = RestartPolicy::kAlways;
  spec.liveness = probe;
  pod.launch();
  EXPECT_TRUE(
      pod.becomes([](const PodStatus& status) { return status.find("c")->restart_count > 0; }));
  EXPECT_SAYS(pod.events(), "exit code 4 (it said: it looks bad)");
}

TEST_F(PodProbe, OneThatHangsFailsInTimeAndIsGone) {
  TestPod pod(pods_root(), new_name());
  Probe probe = often({});
  probe.exec = {"sleep", "777"};
  probe.timeout_seconds = 1;
  pod.add("c", "exec sleep 60").readiness = probe;
  pod.launch();
  EXPECT_TRUE(eventually([&] {
    return pod.events().find("no answer within 1 s") != std::string::npos;
  })) << pod.events();
  // At most the one that is asked now.
  EXPECT_LE(std::stoi(pod.exec_shell("c", "ps | grep -c '[s]leep 777'; true")), 1);
}

TEST_F(PodProbe, HandlersRunAfterTheStartAndBeforeTheStop) {
  TestPod pod(pods_root(), new_name());
  const std::string shared = scratch() + "/shared";
  make_directories(shared);
  auto& spec =
      pod.add("c", "trap 'echo stop >>/shared/order; exit 0' TERM; while :; do sleep 0.05; done");
  Handler post, pre;
  post.exec = {"sh", "-c", "echo post >>/shared/order"};
  pre.exec = {"sh", "-c", "echo pre >>/shared/order"};
  spec.post_start = post;
  spec.pre_stop = pre;
  pod.bundle("c").mount("/shared", "none", shared, {"bind"});
  pod.launch();
  ASSERT_TRUE(eventually([&] { return exists(shared + "/order"); }));
  EXPECT_EQ(pod.stop(5), "");
  EXPECT_EQ(read_file(shared + "/order"), "post\npre\nstop\n");
}

TEST_F(PodProbe, ProcessThatTheMemoryLimitKillsIsReportedAsSuch) {
  NEEDS_CONTROLLER("memory");
  TestPod pod(pods_root(), new_name());
  // The shell's own memory, so that it is init who is killed.
  pod.add("c", "x=a; while :; do x=$x$x; done");
  pod.bundle("c").set("linux.resources", R"({"memory": {"limit": 16777216, "swap": 16777216}})");
  pod.launch();
  ASSERT_TRUE(
      pod.becomes([](const PodStatus& status) { return !status.finished_at.empty(); }, 60000));
  EXPECT_EQ(pod.container("c").state.terminated->reason, EndReason::kOomKilled) << pod.events();
  EXPECT_SAYS(pod.events(), "OOM");
}

}  // namespace
}  // namespace harness
