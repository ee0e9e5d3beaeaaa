// Logs that are rotated while somebody follows them.
#include <sstream>

#include "tests/pods/cli_fixture.h"

namespace harness {
namespace {

class PodLogs : public PodCli {};

TEST_F(PodLogs, FollowingLosesAndDoublesNoLineWhileTheLogIsRotated) {
  TestPod talker(pods_root(), name_);
  ocirt::pod::Container& container =
      talker.add("a", "until [ -e /go ]; do sleep 0.01; done; seq 1 20000");
  container.log_max_bytes = 20'000;
  container.log_max_files = 200;
  container.restart = ocirt::pod::RestartPolicy::kNever;
  talker.launch();
  Process following(command({"logs", "--follow", name_}));
  write_file(talker.bundle("a").rootfs("/go"), "");
  Process late(command({"logs", "--follow", name_}));  // begins while the files are being renamed
  const Outcome outcome = following.wait(), second = late.wait();
  ASSERT_OK(outcome);
  ASSERT_OK(second);
  std::string expected;
  for (int i = 1; i <= 20'000; ++i) expected += std::to_string(i) + "\n";
  EXPECT_TRUE(outcome.out == expected) << outcome.out.size() << " bytes of " << expected.size();
  EXPECT_TRUE(second.out == expected) << second.out.size() << " bytes of " << expected.size();
  EXPECT_TRUE(exists(talker.layout().log("a") + ".30"));
  EXPECT_TRUE(pod({"logs", name_}).out == expected);
}

}  // namespace
}  // namespace harness
