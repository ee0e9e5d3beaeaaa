// Limits that bite.
#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <thread>

#include "src/linux/cgroup/root_test_fixture.h"
#include "src/linux/cgroup/stats.h"

namespace ocirt::cgroup {
namespace {

TEST_F(CgroupRoot, PidsLimitRefusesForks) {
  make(location_)->commit();
  oci::Resources resources;
  resources.pids = oci::Pids{3};
  Result<> done = apply(location_, resources, false);
  if (v1_directory(location_, "pids") == nullptr && !done) {
    EXPECT_TRUE(done.error().text.starts_with(
        "linux.resources.pids.limit: the requested cgroup controller `pids` is not available"))
        << done.error().text;
    resources.pids = oci::Pids{-1};
    EXPECT_TRUE(apply(location_, resources, false));
    return;
  }
  ASSERT_TRUE(done) << done.error().text;
  EXPECT_EQ(read("pids", "pids.max"), "3");
  const pid_t pid = start([] {
    for (int i = 0; i < 10; ++i) {
      const pid_t child = fork();
      if (child == 0) {
        die_with_parent();
        for (;;) pause();
      }
      if (child < 0) return errno == EAGAIN ? i : 100;
    }
    return 101;
  });
  EXPECT_EQ(WEXITSTATUS(wait(pid)), 2);
}

TEST_F(CgroupRoot, MemoryLimitKills) {
  if (v1_directory(location_, "memory") == nullptr) GTEST_SKIP() << "no memory controller on v1";
  make(location_)->commit();
  oci::Resources resources;
  resources.memory =
      oci::Memory{.limit = 16 << 20, .reservation = 8 << 20, .swap = 16 << 20, .swappiness = 30};
  ASSERT_DONE(apply(location_, resources, false));
  EXPECT_EQ(read("memory", "memory.limit_in_bytes"), "16777216");
  EXPECT_EQ(read("memory", "memory.memsw.limit_in_bytes"), "16777216");
  EXPECT_EQ(read("memory", "memory.soft_limit_in_bytes"), "8388608");
  EXPECT_EQ(read("memory", "memory.swappiness"), "30");
  const pid_t pid = start([] {
    constexpr size_t kSize = 64 << 20;
    void* memory = mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    std::memset(memory, 1, kSize);
    return 0;
  });
  const int status = wait(pid);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
}

TEST_F(CgroupRoot, MemoryAndSwapAreUpdatedInAnOrderThatTheKernelAccepts) {
  if (v1_directory(location_, "memory") == nullptr) GTEST_SKIP() << "no memory controller on v1";
  make(location_)->commit();
  auto set = [&](int64_t limit, int64_t swap) {
    oci::Resources resources;
    resources.memory = oci::Memory{.limit = limit, .swap = swap};
    Result<> done = apply(location_, resources, true);
    EXPECT_TRUE(done) << done.error().text;
    return cat(read("memory", "memory.limit_in_bytes"), ' ',
               read("memory", "memory.memsw.limit_in_bytes"));
  };
  EXPECT_EQ(set(16 << 20, 32 << 20), "16777216 33554432");
  EXPECT_EQ(set(64 << 20, 64 << 20), "67108864 67108864");  // both up: swap goes first
  EXPECT_EQ(set(8 << 20, 16 << 20), "8388608 16777216");    // both down: memory goes first
  EXPECT_EQ(set(-1, 0).substr(0, 5), "92233");              // no limit takes both off
}

TEST_F(CgroupRoot, ATooSmallMemoryLimitIsAnErrorWithTheUsage) {
  if (v1_directory(location_, "memory") == nullptr) GTEST_SKIP() << "no memory controller on v1";
  make(location_)->commit();
  start([this] {
    constexpr size_t kSize = 8 << 20;
    void* memory = mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    std::memset(memory, 1, kSize);
    mlock(memory, kSize);
    shared_->value = 1;
    for (;;) pause();
    return 0;
  });
  while (shared_->value == 0) usleep(1000);
  oci::Resources resources;
  resources.memory = oci::Memory{.limit = 1 << 20};
  Result<> done = apply(location_, resources, true);
  ASSERT_FALSE(done);
  EXPECT_TRUE(done.error().text.starts_with("linux.resources.memory.limit: ")) << done.error().text;
  EXPECT_NE(done.error().text.find("present usage is "), std::string::npos) << done.error().text;
}

TEST_F(CgroupRoot, CpuLimits) {
  if (v1_directory(location_, "cpu") == nullptr) GTEST_SKIP() << "no cpu controller on v1";
  make(location_)->commit();
  auto set = [&](oci::Cpu cpu) {
    oci::Resources resources;
    resources.cpu = cpu;
    Result<> done = apply(location_, resources, true);
    EXPECT_TRUE(done) << done.error().text;
    return cat(read("cpu", "cpu.cfs_quota_us"), '/', read("cpu", "cpu.cfs_period_us"), '+',
               read("cpu", "cpu.cfs_burst_us"));
  };
  EXPECT_EQ(set({.quota = 20000, .burst = 10000, .period = 40000}), "20000/40000+10000");
  // A burst that only the new quota allows, and a quota that only the new burst allows.
  EXPECT_EQ(set({.quota = 90000, .burst = 80000, .period = 100000}), "90000/100000+80000");
  EXPECT_EQ(set({.quota = 5000, .burst = 0, .period = 50000}), "5000/50000+0");
  set({.shares = 2048});
  EXPECT_EQ(read("cpu", "cpu.shares"), "2048");
  set({.idle = 1});
  EXPECT_EQ(read("cpu", "cpu.idle"), "1");
  set({.shares = 512, .idle = 0});
  EXPECT_EQ(read("cpu", "cpu.shares"), "512");
  if (read("cpuset", "cpuset.cpus") != "0") {
    set({.cpus = "0", .mems = "0"});
    EXPECT_EQ(read("cpuset", "cpuset.cpus"), "0");
  }
  oci::Resources resources;
  resources.cpu = oci::Cpu{.cpus = "4000"};
  Result<> done = apply(location_, resources, true);
  ASSERT_FALSE(done);
  EXPECT_TRUE(done.error().text.starts_with("linux.resources.cpu.cpus: ")) << done.error().text;
}

TEST_F(CgroupRoot, HugepagesComeFromTheTreeThatHasThem) {
  make(location_)->commit();
  oci::Resources resources;
  resources.hugepage_limits.push_back({"2MB", 4 << 20});
  const Directory* v2 = v2_directory(location_);
  const bool has =
      v2 != nullptr && v1_directory(location_, "hugetlb") == nullptr &&
      sys::read_control(sys::kCwd, join(parent_of(parent_of(v2->path)), "cgroup.controllers"))
          .value_or("")
          .contains("hugetlb");
  if (!has) GTEST_SKIP() << "hugetlb is not in the cgroup2 tree";
  ASSERT_DONE(apply(location_, resources, false));
  EXPECT_EQ(read("hugetlb", "hugetlb.2MB.max"), "4194304");
  EXPECT_EQ(read("hugetlb", "hugetlb.2MB.rsvd.max"), "4194304");
  resources = {};
  resources.unified.emplace_back("hugetlb.2MB.max", "8388608");
  ASSERT_DONE(apply(location_, resources, true));
  EXPECT_EQ(read("hugetlb", "hugetlb.2MB.max"), "8388608");
  resources.hugepage_limits.push_back({"3MB", 1});
  Result<> done = apply(location_, resources, true);
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().text.find("this kernel has no "), std::string::npos) << done.error().text;
}

TEST_F(CgroupRoot, UnifiedNamesTheMissingController) {
  if (v2_directory(location_) == nullptr) GTEST_SKIP() << "no cgroup2 tree";
  make(location_)->commit();
  oci::Resources resources;
  resources.unified.emplace_back("nosuch.max", "x 1");  // real ones are there on some hosts
  Result<> done = apply(location_, resources, true);
  ASSERT_FALSE(done);
  EXPECT_TRUE(
      done.error().text.starts_with("linux.resources.unified.nosuch.max: the requested cgroup "
                                    "controller `nosuch` is not available"))
      << done.error().text;
}

TEST_F(CgroupRoot, StatsCountWhatAContainerUses) {
  make(location_)->commit();
  start_counter();
  start_sleeper(location_);
  usleep(50'000);
  auto stats = read_stats(location_);
  ASSERT_TRUE(stats) << stats.error().text;
  EXPECT_GT(stats->cpu.total, 1'000'000u);
  EXPECT_LT(stats->cpu.total, 60'000'000'000u);
  EXPECT_EQ(stats->pids.current, 2u);
  EXPECT_EQ(stats->pids.limit, 0u);
  if (v1_directory(location_, "memory") != nullptr) {
    EXPECT_GT(stats->memory.usage.usage, 0u);
    EXPECT_GT(stats->memory.usage.limit, stats->memory.usage.usage);
    EXPECT_EQ(stats->memory.oom_kills, 0u);
    EXPECT_FALSE(stats->memory.raw.empty());
    EXPECT_FALSE(stats->cpu.percpu.empty());
    EXPECT_FALSE(stats->cpuset_cpus.empty());
  }
  EXPECT_TRUE(stats->cpu.psi);
  ASSERT_DONE(remove(location_));
  EXPECT_EQ(read_stats(location_).error().code, ENOENT);
}

// systemd removes the group of a container that ends, at whatever moment.
TEST_F(CgroupRoot, AGroupThatGoesAwayMeanwhileHasNoHalfFigures) {
  if (v2_directory(location_) == nullptr) GTEST_SKIP() << "cgroup2 is not mounted";
  const std::string directory = v2_directory(location_)->path;
  int seen_whole = 0, seen_gone = 0;
  for (int delay = 0; delay < 400 && !HasFailure(); delay += 10) {
    make(location_)->commit();
    std::thread remover([&] {
      usleep(static_cast<useconds_t>(delay));
      ::rmdir(directory.c_str());
    });
    auto stats = read_stats(location_);
    remover.join();
    ++(stats ? seen_whole : seen_gone);
    if (stats) {
      EXPECT_TRUE(stats->cpu.psi && stats->block_io.psi) << delay;
    } else {
      EXPECT_EQ(stats.error().code, ENOENT);
    }
    ASSERT_DONE(remove(location_));
  }
  RecordProperty("whole", seen_whole);
  RecordProperty("gone", seen_gone);
}

}  // namespace
}  // namespace ocirt::cgroup
