// The wall clock may be set while a pod lives, forward or back, by hand or by NTP. It tells times
// in texts; what waits (back-off, probes, grace periods) goes by the other clock, and does not
// notice.
#include "src/pod/test_world.h"

namespace ocirt::pod {
namespace {

// A life with a crash loop, probes and a stop, in words.
std::string lived(int64_t jump) {
  Container app = test_container("a");
  app.readiness = test_probe(10, 3);
  app.liveness = test_probe(7, 2);
  World world(test_pod({app, test_container("b")}));
  std::string words;
  const auto then = [&](int64_t seconds) {
    world.now.wall.tv_sec += jump;
    jump = -jump + jump / 3;  // there and back, and not to where it was
    world.pass(seconds);
    words += cat(world.done(), " [", world.state("a"), ", ", world.state("b"), "]\n");
  };
  world.start();
  then(1);
  for (int i = 0; i < 5; ++i) {
    world.exit("b", 1);
    then(9);
    then(40);
    world.probe("a", ProbeKind::kReadiness, i % 2 == 0);
    world.probe("a", ProbeKind::kLiveness, i != 3);
    then(10);
  }
  world.dies_by_signal = false;
  world.stop(30);
  then(29);
  then(1);
  return words;
}

TEST(WallClock, ThatJumpsChangesNothingThatAPodDoes) {
  const std::string calm = lived(0);
  EXPECT_NE(calm.find("waiting CrashLoopBackOff"), std::string::npos) << calm;
  EXPECT_NE(calm.find("kill a"), std::string::npos) << calm;
  constexpr int64_t kYear = 366 * 86'400;
  for (const int64_t jump : {int64_t{1}, int64_t{3600}, -int64_t{3600}, 30 * kYear, -30 * kYear})
    EXPECT_EQ(lived(jump), calm) << jump;
}

}  // namespace
}  // namespace ocirt::pod
