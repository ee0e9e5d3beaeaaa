#include "src/container/stats_document.h"

#include <gtest/gtest.h>

namespace ocirt::container {
namespace {

// What callers' decoders expect of a container that used nothing: the members that are always
// there.
TEST(StatsDocument, ThatIsEmptyHasTheMembersThatCallersRead) {
  const std::string use = R"({"limit":0,"failcnt":0})";
  EXPECT_EQ(
      stats_line("c1", {}),
      R"({"type":"stats","id":"c1","data":{"cpu":{"usage":{"kernel":0,"user":0},"throttling":{}},)"
      R"("cpuset":{"cpu_exclusive":0,"mem_hardwall":0,"mem_exclusive":0,"memory_migrate":0,)"
      R"("memory_spread_page":0,"memory_spread_slab":0,"memory_pressure":0,)"
      R"("sched_load_balance":0,"sched_relax_domain_level":0},"memory":{"usage":)" +
          use + R"(,"swap":)" + use + R"(,"kernel":)" + use + R"(,"kernelTCP":)" + use +
          R"(},"pids":{},"blkio":{},"hugetlb":{},"intel_rdt":{},"network_interfaces":null}})"
          "\n");
}

TEST(StatsDocument, NamesEveryValue) {
  cgroup::Stats stats;
  stats.cpu.total = 9;
  stats.cpu.percpu = {4, 5};
  stats.cpu.percpu_kernel = {1, 0};
  stats.cpu.percpu_user = {3, 5};
  stats.cpu.periods = 3;
  stats.cpu.throttled_periods = 2;
  stats.cpu.throttled_time = 1;
  stats.cpu.psi = cgroup::Pressure{{1234, 5, 10000, 7}, {0, 120, 0, 0}};
  stats.cpuset_cpus = "0-1,3";
  stats.cpuset_mems = "0";
  stats.cpuset.sched_relax_domain_level = -1;
  stats.memory.cache = 6;
  stats.memory.usage = {UINT64_MAX, 2, 3, 4};
  stats.memory.raw = {{"rss", 5}, {"zero", 0}};
  stats.pids = {1, 20};
  stats.block_io.service_bytes = {{8, 0, "Read", 4096}, {0, 3, "", 0}};
  stats.block_io.sectors = {{8, 16, "", 5}};
  stats.hugetlb = {{"2MB", 1, 2, 0}};
  const std::string line = stats_line("c1", stats);
  for (
      const char* part :
      {R"("usage":{"total":9,"percpu":[4,5],"percpu_kernel":[1,0],"percpu_user":[3,5],)"
       R"("kernel":0,"user":0},"throttling":{"periods":3,"throttledPeriods":2,"throttledTime":1},)",
       R"("psi":{"some":{"avg10":12.34,"avg60":0.05,"avg300":100,"total":7},)"
       R"("full":{"avg10":0,"avg60":1.2,"avg300":0,"total":0}}},)",
       R"("cpuset":{"cpus":[0,1,3],"cpu_exclusive":0,"mems":[0],)",
       R"("sched_relax_domain_level":-1},)",
       R"("memory":{"cache":6,"usage":{"limit":18446744073709551615,"usage":2,"max":3,"failcnt":4},)",
       R"("raw":{"rss":5,"zero":0}},)", R"("pids":{"current":1,"limit":20},)",
       R"("blkio":{"ioServiceBytesRecursive":[{"major":8,"op":"Read","value":4096},{"minor":3}],)"
       R"("sectorsRecursive":[{"major":8,"minor":16,"value":5}]},)",
       R"("hugetlb":{"2MB":{"usage":1,"max":2,"failcnt":0}},)"}) {
    EXPECT_NE(line.find(part), std::string::npos) << part << "\nis not in\n" << line;
  }
}

TEST(StatsDocument, OutOfMemoryIsALineOfItsOwn) {
  EXPECT_EQ(oom_line("c1"), "{\"type\":\"oom\",\"id\":\"c1\"}\n");
}

}  // namespace
}  // namespace ocirt::container
