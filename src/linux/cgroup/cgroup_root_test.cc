// A container's cgroups as a whole: made, entered, frozen, killed and removed.
#include <unistd.h>

#include "src/linux/cgroup/root_test_fixture.h"
#include "src/sys/clock.h"

namespace ocirt::cgroup {
namespace {

TEST_F(CgroupRoot, MakesADirectoryInEveryHierarchyAndTakesItBackUnlessCommitted) {
  {
    auto made = make(location_);
    ASSERT_TRUE(made) << made.error().text;
    ASSERT_EQ(location_.directories.size(), host_.hierarchies.size());
    for (const Directory& directory : location_.directories) {
      EXPECT_TRUE(sys::exists(sys::kCwd, join(directory.path, "cgroup.procs"))) << directory.path;
    }
  }
  for (const Hierarchy& hierarchy : host_.hierarchies) {
    EXPECT_FALSE(sys::exists(sys::kCwd, join(hierarchy.mount_point, top_)));
  }
  make(location_)->commit();
  EXPECT_TRUE(sys::exists(sys::kCwd, location_.directories[0].path));
  ASSERT_DONE(remove(location_));
  for (const Directory& directory : location_.directories) {
    EXPECT_FALSE(sys::exists(sys::kCwd, directory.path));
    // Directories above may belong to others.
    EXPECT_TRUE(sys::exists(sys::kCwd, std::string(parent_of(directory.path))));
  }
  ASSERT_DONE(remove(location_));
}

TEST_F(CgroupRoot, TellsOfACgroupThatHoldsProcesses) {
  make(location_)->commit();
  EXPECT_EQ(make(location_)->shared(), "");
  const pid_t stranger = start_sleeper(location_);
  {
    auto second = make(location_);
    ASSERT_TRUE(second) << second.error().text;
    EXPECT_EQ(second->shared(), location_.directories[0].path);
  }
  EXPECT_TRUE(sys::exists(sys::kCwd, location_.directories[0].path));
  EXPECT_EQ(waitpid(stranger, nullptr, WNOHANG), 0);
}

TEST_F(CgroupRoot, RemoveLeavesASharedOneToThoseWhoAreInIt) {
  make(location_)->commit();
  Location shared = location_;
  shared.shared = true;
  const pid_t stranger = start_sleeper(location_);
  ASSERT_DONE(remove(shared));
  EXPECT_EQ(waitpid(stranger, nullptr, WNOHANG), 0);
  ASSERT_DONE(signal_all(location_, SIGKILL));
  wait(stranger);
  ASSERT_DONE(remove(shared));
}

TEST_F(CgroupRoot, RefusesAFrozenCgroup) {
  make(location_)->commit();
  ASSERT_DONE(freeze(location_));
  EXPECT_FALSE(make(location_));
  ASSERT_DONE(thaw(location_));
  EXPECT_TRUE(make(location_));
}

TEST_F(CgroupRoot, EntranceLetsProcessesIn) {
  make(location_)->commit();
  auto entrance = open_entrance(location_);
  ASSERT_TRUE(entrance) << entrance.error().text;
  EXPECT_EQ(entrance->directory.valid(), unified());
  EXPECT_EQ(entrance->procs.size(), unified() ? 0 : location_.directories.size());
  if (!unified()) {
    const pid_t pid = fork();
    if (pid == 0) {
      die_with_parent();
      for (const UniqueFd& fd : entrance->procs) {
        if (write(fd.raw(), "0", 1) != 1) _exit(1);
      }
      for (;;) pause();
    }
    children_.push_back(pid);
    for (int i = 0; i < 1000 && processes(location_)->empty(); ++i) usleep(1000);
    for (const Directory& directory : location_.directories) {
      EXPECT_EQ(*processes({location_.layout, {directory}}), std::vector<pid_t>{pid});
    }
  }
}

TEST_F(CgroupRoot, EntranceSaysWhatIsMissing) {
  auto entrance = open_entrance(location_);
  ASSERT_FALSE(entrance);
  EXPECT_EQ(entrance.error().text.find("o such file"), std::string::npos) << entrance.error().text;
}

TEST_F(CgroupRoot, CpusetIsFilledFromTheParents) {
  if (v1_directory(location_, "cpuset") == nullptr) GTEST_SKIP() << "no v1 cpuset";
  make(location_)->commit();
  EXPECT_NE(read("cpuset", "cpuset.cpus"), "");
  EXPECT_NE(read("cpuset", "cpuset.mems"), "");
  EXPECT_EQ(read("cpuset", "cpuset.cpus"), read("cpuset", "../cpuset.cpus"));
}

TEST_F(CgroupRoot, FreezingStopsAndThawingContinues) {
  make(location_)->commit();
  start_counter();
  EXPECT_TRUE(counts());
  EXPECT_FALSE(*is_frozen(location_));
  ASSERT_DONE(freeze(location_));
  EXPECT_TRUE(*is_frozen(location_));
  EXPECT_FALSE(counts());
  ASSERT_DONE(freeze(location_));
  ASSERT_DONE(thaw(location_));
  EXPECT_FALSE(*is_frozen(location_));
  EXPECT_TRUE(counts());
}

TEST_F(CgroupRoot, AFrozenParentDoesNotMakeAContainerPaused) {
  make(location_)->commit();
  const Location parent = *locate(host_, top_, "x");
  ASSERT_DONE(freeze(parent));
  EXPECT_FALSE(*is_frozen(location_));
  ASSERT_DONE(thaw(parent));
}

TEST_F(CgroupRoot, FreezingAGoneCgroupIsAnErrorAndItIsNotFrozen) {
  EXPECT_FALSE(*is_frozen(location_));
  EXPECT_FALSE(freeze(location_));
}

TEST_F(CgroupRoot, KillReachesFrozenAndNestedProcesses) {
  make(location_)->commit();
  const Location nested = at("c1/inner/deep");
  make_inside(nested);
  const pid_t outer = start_sleeper(location_);
  const pid_t inner = start_sleeper(nested);
  auto all = processes(location_);
  EXPECT_EQ(*all, (std::vector<pid_t>{std::min(outer, inner), std::max(outer, inner)}));
  ASSERT_DONE(freeze(nested));
  ASSERT_DONE(freeze(location_));
  ASSERT_DONE(signal_all(location_, SIGKILL));
  EXPECT_TRUE(WIFSIGNALED(wait(outer)));
  EXPECT_TRUE(WIFSIGNALED(wait(inner)));
}

TEST_F(CgroupRoot, OtherSignalsReachAllAndLeaveAPausedContainerPaused) {
  make(location_)->commit();
  const pid_t first = start_sleeper(location_);
  ASSERT_DONE(signal_all(location_, SIGTERM));
  EXPECT_EQ(WTERMSIG(wait(first)), SIGTERM);
  EXPECT_FALSE(*is_frozen(location_));
  const pid_t second = start_sleeper(location_);
  ASSERT_DONE(freeze(location_));
  ASSERT_DONE(signal_all(location_, SIGTERM));
  EXPECT_TRUE(*is_frozen(location_));
  // v2 lets a frozen process die of a signal that it does not handle, v1 does not.
  if (!unified()) {
    EXPECT_EQ(waitpid(second, nullptr, WNOHANG), 0);
  }
  ASSERT_DONE(thaw(location_));
  EXPECT_EQ(WTERMSIG(wait(second)), SIGTERM);
}

TEST_F(CgroupRoot, RemoveKillsWhatIsLeftWithItsChildGroups) {
  make(location_)->commit();
  const Location nested = at("c1/a/b");
  const Location sibling = at("c1/c");
  make_inside(nested);
  make_inside(sibling);
  for (const Location& where : {location_, nested, sibling}) {
    for (int i = 0; i < 3; ++i) start_sleeper(where);
  }
  ASSERT_DONE(freeze(nested));
  const int64_t before = sys::monotonic_ms();
  ASSERT_DONE(remove(location_));
  EXPECT_LT(sys::monotonic_ms() - before, 5000);
  for (const Directory& directory : location_.directories) {
    EXPECT_FALSE(sys::exists(sys::kCwd, directory.path));
  }
  EXPECT_TRUE(processes(location_)->empty());
}

TEST_F(CgroupRoot, RemoveWithoutTheCgroup2TreeWaitsForTheProcesses) {
  if (unified()) GTEST_SKIP() << "v2";
  make(location_)->commit();
  // As on a host that has v1 only.
  Location legacy{Layout::legacy, {}};
  for (const Directory& directory : location_.directories) {
    if (!directory.controllers.empty()) legacy.directories.push_back(directory);
  }
  for (int i = 0; i < 5; ++i) start_sleeper(location_);
  ASSERT_DONE(freeze(legacy));
  ASSERT_DONE(remove(legacy));
  for (const Directory& directory : legacy.directories) {
    EXPECT_FALSE(sys::exists(sys::kCwd, directory.path));
  }
}

TEST_F(CgroupRoot, RemoveFindsProcessesThatAreInOneHierarchyOnly) {
  if (unified()) GTEST_SKIP() << "v2";
  make(location_)->commit();
  Location memory{Layout::legacy, {*v1_directory(location_, "memory")}};
  const pid_t pid = start_sleeper(memory);
  ASSERT_DONE(remove(location_));
  EXPECT_TRUE(WIFSIGNALED(wait(pid)));
}

}  // namespace
}  // namespace ocirt::cgroup
