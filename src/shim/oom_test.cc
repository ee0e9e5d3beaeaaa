#include "src/shim/oom.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "src/base/text.h"
#include "src/sys/test_directory.h"

namespace ocirt::shim {
namespace {

class Oom : public sys::TestDirectory {
 protected:
  std::string events() const { return cat(path, "/memory.events"); }
  const std::unique_ptr<sys::EventLoop> loop_ = *sys::EventLoop::open();
};

TEST_F(Oom, KillsAreHeardOfOnce) {
  put("memory.events", "oom 0\noom_kill 2\n");
  OomWatches watches(*loop_, [](const std::string&) {});
  watches.watch("c", events());
  EXPECT_FALSE(watches.take_kills("c"));
  put("memory.events", "oom 1\noom_kill 3\n");
  EXPECT_TRUE(watches.take_kills("c"));
  EXPECT_FALSE(watches.take_kills("c"));
}

// A user has 128 of what tells of changes, and a machine more containers.
TEST_F(Oom, WhatCannotBeWatchedIsLookedAtWhenSomebodyAsks) {
  put("memory.events", "oom_kill 0\n");
  OomWatches watches(*loop_, [](const std::string&) {});
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  // Room for the file, none behind it.
  UniqueFd next = *sys::open(dir, "memory.events", O_RDONLY);
  const rlimit one_more{static_cast<rlim_t>(next.raw()) + 1, before.rlim_max};
  next.reset();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &one_more), 0);
  watches.watch("c", events());
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_FALSE(watches.take_kills("c"));
  put("memory.events", "oom_kill 1\n");
  EXPECT_TRUE(watches.take_kills("c"));
}

}  // namespace
}  // namespace ocirt::shim
