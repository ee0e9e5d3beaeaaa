#include "src/sys/held_namespaces.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include "src/base/text.h"
#include "src/sys/file.h"
#include "src/sys/mounting.h"

namespace ocirt::sys {
namespace {

using ::testing::HasSubstr;

std::string link_of(pid_t id, std::string_view kind) {
  return read_link(kCwd, cat("/proc/", id, "/ns/", kind)).value_or("");
}

// What the thread needs and the tests may not have.
bool may_make_namespaces() {
  HeldNamespaces held;
  return held.hold(CLONE_NEWIPC, {}).has_value();
}

TEST(HeldNamespaces, AreMadeBesideOursAndLetGo) {
  if (!may_make_namespaces()) GTEST_SKIP() << "needs CAP_SYS_ADMIN";
  const std::string own = read_link(kCwd, "/proc/self/ns/ipc").value();
  HeldNamespaces held;
  ASSERT_TRUE(held.hold(CLONE_NEWIPC | CLONE_NEWUTS, {}));
  const pid_t id = held.id();
  EXPECT_NE(link_of(id, "ipc"), own);
  EXPECT_EQ(link_of(id, "net"), read_link(kCwd, "/proc/self/ns/net").value());
  EXPECT_EQ(read_link(kCwd, "/proc/self/ns/ipc").value(), own);
  held.release();
  EXPECT_EQ(link_of(id, "ipc"), "");
  EXPECT_EQ(held.id(), 0);
}

TEST(HeldNamespaces, WhatCannotBeEnteredIsSaidAndNothingIsHeld) {
  if (!may_make_namespaces()) GTEST_SKIP() << "needs CAP_SYS_ADMIN";
  const Result<UniqueFd> file = open(kCwd, "/proc/self/status", O_RDONLY);
  ASSERT_TRUE(file);
  HeldNamespaces held;
  const Result<> done = held.hold(CLONE_NEWIPC, *file);
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().text, HasSubstr("setns to the network namespace"));
  EXPECT_EQ(held.id(), 0);
}

}  // namespace
}  // namespace ocirt::sys
