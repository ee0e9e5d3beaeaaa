#include "src/linux/cgroup/stats.h"

#include <gtest/gtest.h>

namespace ocirt::cgroup {
namespace {

TEST(CgroupStats, PressureKeepsTwoDecimals) {
  auto psi = parse_pressure(
      "some avg10=12.34 avg60=0.05 avg300=100.00 total=123456\n"
      "full avg10=0.00 avg60=0.00 avg300=0.10 total=7\n");
  ASSERT_TRUE(psi);
  EXPECT_EQ(psi->some, (Pressure::Line{1234, 5, 10000, 123456}));
  EXPECT_EQ(psi->full, (Pressure::Line{0, 0, 10, 7}));
  EXPECT_FALSE(parse_pressure(""));
}

TEST(CgroupStats, BlockIoOfV1) {
  EXPECT_EQ(parse_block_io("8:0 Read 4096\n8:16 5\nTotal 4096\n"),
            (std::vector<BlockIoEntry>{{8, 0, "Read", 4096}, {8, 16, "", 5}}));
}

TEST(CgroupStats, BlockIoOfV2) {
  BlockIoStats stats;
  parse_io_stat("254:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n8:0\n", stats);
  EXPECT_EQ(stats.service_bytes,
            (std::vector<BlockIoEntry>{
                {254, 0, "Read", 1}, {254, 0, "Write", 2}, {254, 0, "Discard", 5}}));
  EXPECT_EQ(stats.serviced,
            (std::vector<BlockIoEntry>{
                {254, 0, "Read", 3}, {254, 0, "Write", 4}, {254, 0, "Discard", 6}}));
}

TEST(CgroupStats, WithoutACgroupThereAreNone) { EXPECT_FALSE(read_stats({})); }

}  // namespace
}  // namespace ocirt::cgroup
