// How probes work together while a container lives: startup before the others, readiness to and
// fro. Each kind alone is in probe_test.cc.
#include <sys/stat.h>

#include "tests/pods/pod_fixture.h"

namespace harness {
namespace {

using ocirt::pod::ContainerStatus;
using ocirt::pod::HttpGet;
using ocirt::pod::Phase;
using ocirt::pod::PodStatus;
using ocirt::pod::Probe;
using ocirt::pod::TcpSocket;

class PodStartup : public OnePodTest {
 protected:
  static Probe every_second(uint32_t failures) {
    Probe probe;
    probe.period_seconds = 1;
    probe.failure_threshold = failures;
    return probe;
  }
  bool is_ready(bool expected) {
    return eventually([&] { return pod_.container("a").ready == expected; });
  }
};

TEST_F(PodStartup, ReadinessFollowsTheStatusOfAnHttpServer) {
  ocirt::pod::Container& a = pod_.add("a", "exec busybox httpd -f -p 127.0.0.1:8080 -h /tmp");
  a.readiness = every_second(1);
  a.readiness->http = HttpGet{"127.0.0.1", 8080, "/ready"};
  pod_.launch();
  ASSERT_TRUE(pod_.container_runs("a"));
  EXPECT_FALSE(pod_.container("a").ready) << "404";
  EXPECT_FALSE(pod_.status().condition("Ready"));
  const ContainerStatus before = pod_.container("a");
  write_file(pod_.bundle("a").rootfs("/tmp/ready"), "yes");
  EXPECT_TRUE(is_ready(true)) << pod_.events();
  EXPECT_TRUE(pod_.status().condition("Ready"));
  remove_tree(pod_.bundle("a").rootfs("/tmp/ready"));
  EXPECT_TRUE(is_ready(false)) << pod_.events();
  EXPECT_EQ(pod_.container("a").process, before.process) << "it is not restarted for that";
  EXPECT_NE(pod_.events().find("HTTP status 404"), std::string::npos) << pod_.events();
}

TEST_F(PodStartup, TheStartupProbeHoldsTheOthersBack) {
  ocirt::pod::Container& a = pod_.add("a", "sleep 60");
  a.startup = every_second(60);
  a.startup->exec = {"test", "-e", "/up"};
  a.liveness = every_second(1);
  a.liveness->exec = {"sh", "-c", "test -e /up && touch /asked"};
  pod_.launch();
  sleep_ms(1500);
  EXPECT_FALSE(pod_.container("a").started);
  EXPECT_TRUE(pod_.container("a").state.running) << "liveness would have ended it";
  write_file(pod_.bundle("a").rootfs("/up"), "");
  ASSERT_TRUE(eventually([&] { return pod_.container("a").started; }));
  EXPECT_TRUE(eventually([&] { return exists(pod_.bundle("a").rootfs("/asked")); }));
}

TEST_F(PodStartup, AStartupThatNeverComesEndsTheContainer) {
  ocirt::pod::Container& a = pod_.add("a", "sleep 60");
  a.startup = every_second(2);
  a.startup->tcp = TcpSocket{"127.0.0.1", 9};
  pod_.pod.grace_seconds = 0;
  pod_.launch();
  ASSERT_TRUE(pod_.becomes([](const PodStatus& status) { return status.phase == Phase::kFailed; }));
  EXPECT_NE(pod_.events().find("its startup probe failed"), std::string::npos) << pod_.events();
}

TEST_F(PodStartup, WhatAnExecProbePrintsIsTold) {
  ocirt::pod::Container& a = pod_.add("a", "sleep 60");
  a.readiness = every_second(1);
  a.readiness->exec = {"sh", "-c", "echo the disk is full; exit 3"};
  pod_.launch();
  EXPECT_TRUE(eventually([&] {
    return pod_.events().find("the disk is full") != std::string::npos;
  })) << pod_.events();
}

TEST_F(PodStartup, AnAnswerThatChangesNothingIsNotWrittenDown) {
  ocirt::pod::Container& a = pod_.add("a", "sleep 60");
  a.liveness = every_second(3);
  a.liveness->exec = {"sh", "-c", "echo x >> /asked"};
  a.readiness = every_second(1);
  a.readiness->exec = {"test", "-e", "/ready"};
  pod_.launch();
  const auto asked = [&](size_t times) {
    const std::string file = pod_.bundle("a").rootfs("/asked");
    return eventually([&] { return exists(file) && read_file(file).size() >= 2 * times; });
  };
  const auto written = [&] {
    struct stat info{};
    EXPECT_EQ(::stat(pod_.layout().state_json().c_str(), &info), 0);
    return info.st_ino;
  };
  // The first answers of both, which are something new, have been written down by then.
  ASSERT_TRUE(asked(2));
  ASSERT_TRUE(eventually([&] { return pod_.events().find("\"Unhealthy\"") != std::string::npos; }))
      << pod_.events();
  sleep_ms(100);
  const ino_t before = written();
  ASSERT_TRUE(asked(3));
  EXPECT_EQ(written(), before);
  write_file(pod_.bundle("a").rootfs("/ready"), "");
  ASSERT_TRUE(is_ready(true));
  EXPECT_NE(written(), before);
}

}  // namespace
}  // namespace harness
