// What `exec --cgroup` names.
#include <gtest/gtest.h>

#include "src/linux/cgroup/cgroup.h"

namespace ocirt::cgroup {
namespace {

using Strings = std::vector<std::string>;

const Location kUnified = {Layout::unified, {{"", "/v2/c1"}}};
const Location kHybrid = {Layout::hybrid,
                          {{"memory", "/memory/c1"}, {"cpu,cpuacct", "/cpu/c1"}, {"", "/v2/c1"}}};

Strings paths(const Location& from, const Strings& words) {
  Result<Location> below = locate_below(from, words);
  if (!below) return {below.error().text};
  Strings out;
  for (const Directory& directory : below->directories) out.push_back(directory.path);
  return out;
}

TEST(CgroupBelow, OnePathIsForAllHierarchies) {
  EXPECT_EQ(paths(kUnified, {"sub"}), Strings{"/v2/c1/sub"});
  EXPECT_EQ(paths(kUnified, {"/a//./b/"}), Strings{"/v2/c1/a/b"});
  EXPECT_EQ(paths(kUnified, {"/"}), Strings{"/v2/c1"});
  EXPECT_EQ(paths(kHybrid, {"sub"}), (Strings{"/memory/c1/sub", "/cpu/c1/sub", "/v2/c1/sub"}));
}

TEST(CgroupBelow, ControllersHaveTheirOwn) {
  EXPECT_EQ(paths(kHybrid, {"cpuacct:sub"}), (Strings{"/memory/c1", "/cpu/c1/sub", "/v2/c1"}));
  EXPECT_EQ(paths(kHybrid, {"memory,cpu:sub"}),
            (Strings{"/memory/c1/sub", "/cpu/c1/sub", "/v2/c1"}));
  EXPECT_EQ(paths(kHybrid, {"memory:a", "cpu:b"}),
            (Strings{"/memory/c1/a", "/cpu/c1/b", "/v2/c1"}));
}

TEST(CgroupBelow, WhatIsWrongIsNamed) {
  EXPECT_EQ(paths(kUnified, {"../x"}),
            Strings{"../x is not a sub cgroup path: it contains \"..\""});
  EXPECT_EQ(paths(kUnified, {"memory:x"}),
            Strings{"\"memory:x\": on cgroup v2 one path is for all controllers"});
  EXPECT_EQ(paths(kHybrid, {"rdma:x"}),
            Strings{"\"rdma:x\": unknown controller \"rdma\", the container has no cgroup of it"});
  EXPECT_EQ(paths(kHybrid, {":x"}),
            Strings{"\":x\": unknown controller \"\", the container has no cgroup of it"});
  EXPECT_EQ(paths(kHybrid, {"cpu:a", "cpuacct:b"}),
            Strings{"\"cpuacct:b\": another path names the same cgroup"});
  EXPECT_EQ(paths(kHybrid, {"a", "cpu:b"}),
            Strings{"\"cpu:b\": another path names the same cgroup"});
}

}  // namespace
}  // namespace ocirt::cgroup
