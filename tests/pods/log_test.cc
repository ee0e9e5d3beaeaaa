// Logs that are rotated while somebody follows them.
#include "tests/pods/cli_fixture.h"

namespace harness {
namespace {

constexpr int kLines = 20'000;

class PodLogs : public PodCli {
 protected:
  // Where the lines are not 1 to kLines, each once; "" where they are.
  static std::string gaps(const std::string& out) {
    std::string found;
    int next = 1;
    for (const std::string& line : lines(out)) {
      const int number = std::stoi(line);
      if (number != next) found += ocirt::cat("after ", next - 1, " comes ", number, "; ");
      next = number + 1;
    }
    if (next != kLines + 1) found += ocirt::cat("ends with ", next - 1);
    return found;
  }
};

TEST_F(PodLogs, FollowingLosesAndDoublesNoLineWhileTheLogIsRotated) {
  TestPod talker(pods_root(), name_);
  ocirt::pod::Container& container =
      talker.add("a", ocirt::cat("until [ -e /go ]; do sleep 0.01; done; seq 1 ", kLines));
  container.log_max_bytes = 20'000;
  container.log_max_files = 200;
  container.restart = ocirt::pod::RestartPolicy::kNever;
  talker.launch();
  Process following(command({"logs", "--follow", name_}));
  write_file(talker.bundle("a").rootfs("/go"), "");
  Process late(command({"logs", "--follow", name_}));  // begins while the files are being renamed
  const Outcome first = following.wait(), second = late.wait();
  ASSERT_OK(first);
  ASSERT_OK(second);
  EXPECT_EQ(gaps(first.out), "");
  EXPECT_EQ(gaps(second.out), "");
  EXPECT_TRUE(exists(talker.layout().log("a") + ".30"));
  EXPECT_EQ(gaps(pod({"logs", name_}).out), "");
}

}  // namespace
}  // namespace harness
