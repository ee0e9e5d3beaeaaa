#include "src/cli/limits.h"

#include <gtest/gtest.h>

namespace ocirt::cli {
namespace {

TEST(Size, UnitsArePowersOf1024) {
  struct {
    const char* text;
    int64_t bytes;
  } const cases[] = {
      {"0", 0},
      {"1048576", 1048576},
      {"10b", 10},
      {"1k", 1024},
      {"512m", 512 << 20},
      {"512M", 512 << 20},
      {"2g", int64_t{2} << 30},
      {"2GB", int64_t{2} << 30},
      {"2GiB", int64_t{2} << 30},
      {"1t", int64_t{1} << 40},
      {"1p", int64_t{1} << 50},
      {"-1", -1},
      {"9223372036854775807", INT64_MAX},
      {"1.5g", 1610612736},
      {"0.5k", 512},
      {"1.999", 1},
      {"2.25MiB", 2359296},
      {"0.0009765625k", 0},
      {"1.00000000000000000000m", 1048576},
  };
  for (const auto& [text, bytes] : cases) {
    Result<int64_t> size = parse_size(text);
    ASSERT_TRUE(size) << text;
    EXPECT_EQ(*size, bytes) << text;
  }
}

TEST(Size, EverythingElseIsRefused) {
  for (const char* text :
       {"", "m", "-2", "-1m", "1x", "1mm", "1i", "1ki", "1.g", ".5g", "1.5.5g", "1.x", " 1", "1 m",
        "0x10", "9223372036854775808", "9007199254740992k", "+1"}) {
    EXPECT_FALSE(parse_size(text)) << text;
  }
}

TEST(Limits, AbsentOnesMakeNoSection) { EXPECT_EQ(resources_of(Limits{}), oci::Resources{}); }

TEST(Limits, EachReachesItsProperty) {
  Limits limits;
  limits.memory = 1;
  limits.memory_reservation = 2;
  limits.memory_swap = 3;
  limits.kernel_memory = 4;
  limits.kernel_memory_tcp = 5;
  limits.cpu_shares = 6;
  limits.cpu_quota = 7;
  limits.cpu_burst = 8;
  limits.cpu_period = 9;
  limits.cpu_realtime_runtime = 10;
  limits.cpu_realtime_period = 11;
  limits.cpu_idle = 1;
  limits.cpuset_cpus = "0";
  limits.cpuset_mems = "1";
  limits.pids = 12;
  limits.block_io_weight = 13;
  oci::Resources expected;
  expected.memory = oci::Memory{.limit = 1,
                                .reservation = 2,
                                .swap = 3,
                                .kernel = 4,
                                .kernel_tcp = 5,
                                .swappiness = {},
                                .disable_oom_killer = {},
                                .use_hierarchy = {},
                                .check_before_update = {}};
  expected.cpu = oci::Cpu{.shares = 6,
                          .quota = 7,
                          .burst = 8,
                          .period = 9,
                          .realtime_runtime = 10,
                          .realtime_period = 11,
                          .cpus = "0",
                          .mems = "1",
                          .idle = 1};
  expected.pids = oci::Pids{12};
  expected.block_io.emplace().weight = 13;
  EXPECT_EQ(resources_of(limits), expected);
}

}  // namespace
}  // namespace ocirt::cli
