// The pure parts of cgroups: where they are, and which values are written.
#include "src/linux/cgroup/cgroup.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "src/linux/cgroup/conversions.h"
#include "src/linux/cgroup/hierarchies.h"
#include "src/linux/cgroup/host.h"
#include "src/linux/cgroup/settings.h"

namespace ocirt::cgroup {
namespace {

Host unified_host(std::string own) {
  return {Layout::unified, {{"", "/sys/fs/cgroup", std::move(own)}}};
}
Host hybrid_host() {
  return {Layout::hybrid,
          {{"memory", "/sys/fs/cgroup/memory", "/user"},
           {"name=systemd", "/sys/fs/cgroup/systemd", "/"},
           {"", "/sys/fs/cgroup/unified", "/user/session"}}};
}

std::vector<std::string> paths(const Location& location) {
  std::vector<std::string> out;
  for (const Directory& directory : location.directories) out.push_back(directory.path);
  return out;
}

// "file=value" of every setting, in order.
std::vector<std::string> writes(const Result<std::vector<Setting>>& settings) {
  std::vector<std::string> out;
  if (!settings) return {settings.error().text};
  for (const Setting& setting : *settings) out.push_back(setting.file + "=" + setting.value);
  return out;
}
using Strings = std::vector<std::string>;

oci::Resources with_memory(oci::Memory memory) {
  oci::Resources resources;
  resources.memory = memory;
  return resources;
}
oci::Resources with_cpu(oci::Cpu cpu) {
  oci::Resources resources;
  resources.cpu = std::move(cpu);
  return resources;
}

// ---- where
// ----------------------------------------------------------------------------------------
TEST(CgroupLocate, AbsolutePathCountsFromTheTopOfEveryHierarchy) {
  EXPECT_EQ(paths(*locate(unified_host("/a/b"), "/pod//c1/", "id")),
            Strings{"/sys/fs/cgroup/pod/c1"});
  EXPECT_EQ(paths(*locate(hybrid_host(), "/pod/c1", "id")),
            (Strings{"/sys/fs/cgroup/memory/pod/c1", "/sys/fs/cgroup/systemd/pod/c1",
                     "/sys/fs/cgroup/unified/pod/c1"}));
}

TEST(CgroupLocate, RelativePathCountsFromOwnCgroupAndOnV2FromItsParent) {
  EXPECT_EQ(paths(*locate(unified_host("/a/b"), "c1", "id")), Strings{"/sys/fs/cgroup/a/c1"});
  EXPECT_EQ(paths(*locate(unified_host("/"), "c1", "id")), Strings{"/sys/fs/cgroup/c1"});
  EXPECT_EQ(paths(*locate(hybrid_host(), "pod/c1", "id")),
            (Strings{"/sys/fs/cgroup/memory/user/pod/c1", "/sys/fs/cgroup/systemd/pod/c1",
                     "/sys/fs/cgroup/unified/user/session/pod/c1"}));
}

TEST(CgroupLocate, AbsentOrEmptyPathIsTheContainersId) {
  EXPECT_EQ(paths(*locate(unified_host("/a/b"), std::nullopt, "id")),
            Strings{"/sys/fs/cgroup/a/id"});
  EXPECT_EQ(paths(*locate(unified_host("/a/b"), "", "id")), Strings{"/sys/fs/cgroup/a/id"});
}

TEST(CgroupLocate, RefusesDotDotTheTopAndSeveralLines) {
  for (const char* path : {"/a/../../b", "..", "/", ".", "/./", "a\nb"}) {
    Result<Location> location = locate(unified_host("/"), path, "id");
    ASSERT_FALSE(location) << path;
    EXPECT_TRUE(location.error().text.starts_with("linux.cgroupsPath: ")) << location.error().text;
  }
}

TEST(CgroupLocate, RefusesARelativePathOutsideOfTheCgroupNamespace) {
  EXPECT_FALSE(locate(unified_host("/../x"), "c1", "id"));
  EXPECT_TRUE(locate(unified_host("/../x"), "/c1", "id"));
}

TEST(CgroupHost, ReadsMemberships) {
  std::string text = "12:cpu,cpuacct:/a:b\n1:name=systemd:/\n0::/user.slice\n";
  auto all = parse_memberships(text);
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 3u);
  EXPECT_EQ((*all)[0], (Membership{"cpu,cpuacct", "/a:b"}));
  EXPECT_EQ((*all)[1], (Membership{"name=systemd", "/"}));
  EXPECT_EQ((*all)[2], (Membership{"", "/user.slice"}));
  EXPECT_FALSE(parse_memberships("12:cpu\n"));
  EXPECT_FALSE(parse_memberships("12:cpu:x\n"));
}

TEST(CgroupHost, KnowsUsualPlaces) {
  EXPECT_EQ(usual_mount_point("cpu,cpuacct"), "/sys/fs/cgroup/cpu,cpuacct");
  EXPECT_EQ(usual_mount_point("name=systemd"), "/sys/fs/cgroup/systemd");
  EXPECT_EQ(usual_mount_point(""), "/sys/fs/cgroup/unified");
}

TEST(CgroupHost, FindsHierarchiesInMountinfo) {
  auto mounts = parse_cgroup_mounts(
      "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
      "32 31 0:29 /docker/x /mnt/my\\040cg/memory rw,relatime shared:3 - cgroup cgroup rw,memory\n"
      "33 31 0:30 / /cg/both rw - cgroup none rw,cpuacct,cpu\n"
      "41 31 0:38 / /cg/two rw - cgroup2 cgroup2 rw,nsdelegate\n");
  ASSERT_EQ(mounts.size(), 3u);
  EXPECT_EQ(mounts[0].point, "/mnt/my cg/memory");
  auto memory = find_hierarchy({"memory", "/docker/x/y"}, mounts);
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->mount_point, "/mnt/my cg/memory");
  EXPECT_EQ(memory->own, "/y");
  EXPECT_FALSE(find_hierarchy({"memory", "/docker/xy"}, mounts));
  EXPECT_EQ(find_hierarchy({"cpu,cpuacct", "/"}, mounts)->mount_point, "/cg/both");
  EXPECT_EQ(find_hierarchy({"", "/a"}, mounts)->mount_point, "/cg/two");
  EXPECT_FALSE(find_hierarchy({"pids", "/"}, mounts));
}

TEST(CgroupHost, ValueOfTakesWholeKeys) {
  EXPECT_EQ(value_of("populated 1\nfrozen 0\n", "frozen"), "0");
  EXPECT_EQ(value_of("frozen_x 1\nfrozen 0\n", "frozen"), "0");
  EXPECT_EQ(value_of("populated 1\n", "frozen"), "");
}

// ---- conversions
// ----------------------------------------------------------------------------------
TEST(CgroupConversion, SharesBecomeWeightByTheQuadraticCurve) {
  EXPECT_EQ(weight_from_shares(1), 1u);
  EXPECT_EQ(weight_from_shares(2), 1u);
  EXPECT_EQ(weight_from_shares(1024), 100u);
  EXPECT_EQ(weight_from_shares(262144), 10000u);
  EXPECT_EQ(weight_from_shares(1'000'000), 10000u);
  EXPECT_EQ(weight_from_shares(512), 59u);  // Kubernetes' half a CPU
  uint64_t last = 0;
  for (uint64_t shares = 2; shares <= 262144; shares += 97) {
    EXPECT_GE(weight_from_shares(shares), last);
    last = weight_from_shares(shares);
  }
}

TEST(CgroupConversion, BlockWeightIsAStraightLine) {
  EXPECT_EQ(io_weight_from_weight(10), 1u);
  EXPECT_EQ(io_weight_from_weight(500), 4950u);
  EXPECT_EQ(io_weight_from_weight(1000), 10000u);
}

TEST(CgroupConversion, SwapIsWhatTheSumLeavesBesideMemory) {
  EXPECT_EQ(*swap_without_memory(300, 100), 200);
  EXPECT_EQ(*swap_without_memory(100, 100), 0);
  EXPECT_EQ(*swap_without_memory(-1, 100), -1);
  EXPECT_EQ(*swap_without_memory(100, -1), 100);
  EXPECT_FALSE(swap_without_memory(99, 100));
}

// ---- values of v1
// ---------------------------------------------------------------------------------
TEST(CgroupV1, MemoryAndSwapAreWrittenAsTheyAre) {
  EXPECT_EQ(writes(v1_settings(with_memory({.limit = 100, .reservation = 50, .swap = 200}))),
            (Strings{"memory.limit_in_bytes=100", "memory.memsw.limit_in_bytes=200",
                     "memory.soft_limit_in_bytes=50"}));
}

TEST(CgroupV1, MemoryWithoutLimitTakesTheLimitOffSwapToo) {
  EXPECT_EQ(writes(v1_settings(with_memory({.limit = -1}))),
            (Strings{"memory.limit_in_bytes=-1", "memory.memsw.limit_in_bytes=-1"}));
}

TEST(CgroupV1, RefusesSwapBelowMemory) {
  EXPECT_FALSE(v1_settings(with_memory({.limit = 100, .swap = 99})));
}

TEST(CgroupV1, SwappinessAndOomKiller) {
  EXPECT_EQ(writes(v1_settings(with_memory({.swappiness = 0, .disable_oom_killer = true}))),
            (Strings{"memory.swappiness=0", "memory.oom_control=1"}));
  EXPECT_EQ(writes(v1_settings(with_memory({.swappiness = UINT64_MAX}))), Strings{});
  EXPECT_FALSE(v1_settings(with_memory({.swappiness = 101})));
}

TEST(CgroupV1, ZerosThatNobodyChoseAreNotWritten) {
  oci::Resources resources = with_memory({.limit = 0, .reservation = 0, .swap = 0});
  resources.cpu = oci::Cpu{.shares = 0, .quota = 0, .period = 0};
  resources.block_io = oci::BlockIo{.weight = 0};
  EXPECT_EQ(writes(v1_settings(resources)), Strings{});
  EXPECT_EQ(writes(v2_settings(resources, {})), Strings{});
}

TEST(CgroupV1, ObsoleteKernelMemoryIsNotWritten) {
  EXPECT_EQ(writes(v1_settings(with_memory({.kernel = 1, .kernel_tcp = 2}))), Strings{});
}

TEST(CgroupV1, Cpu) {
  EXPECT_EQ(writes(v1_settings(with_cpu({.shares = 512,
                                         .quota = -5,
                                         .burst = 7,
                                         .period = 1000,
                                         .realtime_runtime = 3,
                                         .realtime_period = 4,
                                         .cpus = "0-1",
                                         .mems = "0"}))),
            (Strings{"cpu.rt_period_us=4", "cpu.rt_runtime_us=3", "cpu.shares=512",
                     "cpu.cfs_period_us=1000", "cpu.cfs_quota_us=-1", "cpu.cfs_burst_us=7",
                     "cpuset.cpus=0-1", "cpuset.mems=0"}));
  EXPECT_FALSE(v1_settings(with_cpu({.shares = 1})));
  EXPECT_FALSE(v1_settings(with_cpu({.shares = 262145})));
}

TEST(CgroupV1, AnIdleCgroupHasNoShares) {
  EXPECT_EQ(writes(v1_settings(with_cpu({.shares = 512, .idle = 1}))), Strings{"cpu.idle=1"});
  EXPECT_EQ(writes(v1_settings(with_cpu({.shares = 512, .idle = 0}))),
            (Strings{"cpu.idle=0", "cpu.shares=512"}));
}

TEST(CgroupV1, PidsZeroIsALimitAndNegativeIsNone) {
  oci::Resources resources;
  resources.pids = oci::Pids{0};
  EXPECT_EQ(writes(v1_settings(resources)), Strings{"pids.max=0"});
  EXPECT_EQ(writes(v2_settings(resources, {})), Strings{"pids.max=0"});
  resources.pids = oci::Pids{-1};
  EXPECT_EQ(writes(v1_settings(resources)), Strings{"pids.max=max"});
  EXPECT_EQ(writes(v2_settings(resources, {})), Strings{"pids.max=max"});
}

TEST(CgroupV1, BlockIo) {
  oci::Resources resources;
  oci::BlockIo& io = resources.block_io.emplace();
  io.weight = 300;
  io.leaf_weight = 20;
  io.weight_device.push_back({8, 0, 400, 30});
  io.throttle_read_bps_device.push_back({8, 0, 1});
  io.throttle_write_bps_device.push_back({8, 16, 2});
  io.throttle_read_iops_device.push_back({8, 0, 3});
  io.throttle_write_iops_device.push_back({8, 0, 0});
  auto settings = v1_settings(resources);
  EXPECT_EQ(
      writes(settings),
      (Strings{"blkio.weight=300", "blkio.leaf_weight=20", "blkio.weight_device=8:0 400",
               "blkio.leaf_weight_device=8:0 30", "blkio.throttle.read_bps_device=8:0 1",
               "blkio.throttle.write_bps_device=8:16 2", "blkio.throttle.read_iops_device=8:0 3",
               "blkio.throttle.write_iops_device=8:0 0"}));
  EXPECT_EQ((*settings)[0].other_file, "blkio.bfq.weight");
  EXPECT_EQ((*settings)[2].other_file, "blkio.bfq.weight_device");
}

TEST(CgroupV1, HugepagesNetworkAndRdma) {
  oci::Resources resources;
  resources.hugepage_limits.push_back({"2MB", 4096});
  resources.network = oci::Network{.class_id = 1048577, .priorities = {{"eth0", 500}}};
  resources.rdma.emplace_back("mlx5_1", oci::Rdma{3, 10000});
  resources.rdma.emplace_back("mlx5_2", oci::Rdma{std::nullopt, 5});
  EXPECT_EQ(
      writes(v1_settings(resources)),
      (Strings{"hugetlb.2MB.limit_in_bytes=4096", "hugetlb.2MB.rsvd.limit_in_bytes=4096",
               "net_cls.classid=1048577", "net_prio.ifpriomap=eth0 500",
               "rdma.max=mlx5_1 hca_handle=3 hca_object=10000", "rdma.max=mlx5_2 hca_object=5"}));
  resources = {};
  resources.hugepage_limits.push_back({"../../x", 1});
  EXPECT_FALSE(v1_settings(resources));
  EXPECT_FALSE(v2_settings(resources, {}));
}

TEST(CgroupV1, RefusesUnified) {
  oci::Resources resources;
  resources.unified.emplace_back("memory.high", "1");
  EXPECT_FALSE(v1_settings(resources));
}

// ---- values of v2
// ---------------------------------------------------------------------------------
TEST(CgroupV2, MemoryAndSwap) {
  EXPECT_EQ(writes(v2_settings(with_memory({.limit = 100, .reservation = 50, .swap = 300}), {})),
            (Strings{"memory.swap.max=200", "memory.max=100", "memory.low=50"}));
  EXPECT_EQ(writes(v2_settings(with_memory({.limit = -1}), {})),
            (Strings{"memory.swap.max=max", "memory.max=max"}));
  EXPECT_EQ(writes(v2_settings(with_memory({.limit = 100}), {})), Strings{"memory.max=100"});
}

TEST(CgroupV2, NewSwapAloneIsCountedFromTheLimitInForce) {
  oci::Resources resources = with_memory({.swap = 300});
  EXPECT_TRUE(needs_memory_max(resources));
  EXPECT_EQ(writes(v2_settings(resources, {.memory_max = "100\n"})),
            Strings{"memory.swap.max=200"});
  EXPECT_FALSE(v2_settings(resources, {.memory_max = "max\n"}));
  EXPECT_FALSE(v2_settings(resources, {}));
  EXPECT_FALSE(needs_memory_max(with_memory({.limit = 1, .swap = 300})));
  EXPECT_FALSE(needs_memory_max(with_memory({.swap = -1})));
}

TEST(CgroupV2, CheckBeforeUpdateRefusesALimitBelowTheUsage) {
  oci::Resources resources = with_memory({.limit = 100, .check_before_update = true});
  EXPECT_TRUE(needs_memory_current(resources));
  EXPECT_FALSE(v2_settings(resources, {.memory_current = "100\n"}));
  EXPECT_TRUE(v2_settings(resources, {.memory_current = "99\n"}));
  resources.memory->check_before_update = false;
  EXPECT_FALSE(needs_memory_current(resources));
  EXPECT_TRUE(v2_settings(resources, {.memory_current = "100\n"}));
}

TEST(CgroupV2, WhatOnlyV1HasIsLeftOut) {
  EXPECT_EQ(writes(v2_settings(with_memory({.kernel = 1,
                                            .kernel_tcp = 1,
                                            .swappiness = 5,
                                            .disable_oom_killer = true,
                                            .use_hierarchy = true}),
                               {})),
            Strings{});
}

TEST(CgroupV2, WhatSomebodyWouldMissIsRefused) {
  EXPECT_FALSE(v2_settings(with_cpu({.realtime_runtime = 1}), {}));
  EXPECT_FALSE(v2_settings(with_cpu({.realtime_period = 1}), {}));
  oci::Resources resources;
  resources.network = oci::Network{.class_id = 1};
  EXPECT_FALSE(v2_settings(resources, {}));
  resources = {};
  resources.block_io = oci::BlockIo{.leaf_weight = 10};
  EXPECT_FALSE(v2_settings(resources, {}));
}

TEST(CgroupV2, QuotaAndPeriodShareAFile) {
  EXPECT_EQ(
      writes(v2_settings(with_cpu({.shares = 1024, .quota = 50, .burst = 7, .period = 1000}), {})),
      (Strings{"cpu.weight=100", "cpu.max=50 1000", "cpu.max.burst=7"}));
  EXPECT_EQ(writes(v2_settings(with_cpu({.quota = -1}), {})), Strings{"cpu.max=max"});
  oci::Resources period = with_cpu({.period = 1000});
  EXPECT_TRUE(needs_cpu_max(period));
  EXPECT_EQ(writes(v2_settings(period, {.cpu_max = "50 100000\n"})), Strings{"cpu.max=50 1000"});
  EXPECT_EQ(writes(v2_settings(period, {})), Strings{"cpu.max=max 1000"});
}

TEST(CgroupV2, BlockIo) {
  oci::Resources resources;
  oci::BlockIo& io = resources.block_io.emplace();
  io.weight = 1000;
  io.weight_device.push_back({8, 0, 10, std::nullopt});
  io.throttle_read_bps_device.push_back({8, 0, 1});
  io.throttle_write_iops_device.push_back({8, 0, 0});
  auto settings = v2_settings(resources, {});
  EXPECT_EQ(writes(settings), (Strings{"io.bfq.weight=1000", "io.bfq.weight=8:0 10",
                                       "io.max=8:0 rbps=1", "io.max=8:0 wiops=max"}));
  EXPECT_EQ((*settings)[0].other_file + "=" + (*settings)[0].other_value, "io.weight=10000");
  EXPECT_EQ((*settings)[1].other_file + "=" + (*settings)[1].other_value, "io.weight=8:0 1");
}

TEST(CgroupV2, UnifiedFilesAreWrittenLineByLineInTheirOrder) {
  oci::Resources resources;
  resources.unified.emplace_back("io.max", "8:0 rbps=1\n8:16 rbps=2\n");
  resources.unified.emplace_back("memory.high", "1G");
  auto settings = v2_settings(resources, {});
  EXPECT_EQ(writes(settings),
            (Strings{"io.max=8:0 rbps=1", "io.max=8:16 rbps=2", "memory.high=1G"}));
  EXPECT_EQ((*settings)[2].controller, "memory");
  for (const char* bad : {"memory", "../memory.high", "a/b.c", ".x"}) {
    oci::Resources wrong;
    wrong.unified.emplace_back(bad, "1");
    EXPECT_FALSE(v2_settings(wrong, {})) << bad;
  }
}

// ---- a container without cgroups
// ------------------------------------------------------------------
TEST(CgroupApply, WithoutCgroupsLimitsAreErrorsAndDeviceRulesAreNot) {
  oci::Resources resources;
  resources.devices.push_back(
      {.allow = false, .type = {}, .major = {}, .minor = {}, .access = "rwm"});
  resources.pids = oci::Pids{-1};
  EXPECT_TRUE(apply({}, resources, false));
  resources.pids = oci::Pids{5};
  Result<> done = apply({}, resources, false);
  ASSERT_FALSE(done);
  EXPECT_TRUE(done.error().text.starts_with(
      "linux.resources.pids.limit: the requested cgroup controller `pids` is not available"))
      << done.error().text;
}

TEST(CgroupApply, WithoutCgroupsThereIsNothingToFreezeOrRemove) {
  EXPECT_EQ(freeze({}).error().code, ENOTSUP);
  EXPECT_FALSE(*is_frozen({}));
  EXPECT_TRUE(processes({})->empty());
  EXPECT_TRUE(remove({}));
}

TEST(Cgroup, OnlyFilesInTheCgroupAreDelegated) {
  EXPECT_EQ(delegated_files("cgroup.procs\ncgroup.threads\nmemory.oom.group\n"),
            (Strings{"cgroup.procs", "cgroup.threads", "memory.oom.group"}));
  EXPECT_EQ(delegated_files("\n../x\n.\na/b\n/\npids.max"), Strings{"pids.max"});
  EXPECT_EQ(delegated_files(""),
            (Strings{"cgroup.procs", "cgroup.subtree_control", "cgroup.threads"}))
      << "of a kernel without a list";
}

}  // namespace
}  // namespace ocirt::cgroup
