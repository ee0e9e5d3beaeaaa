// What ocirt-pod makes of a pod's resources, in config.json and in the kernel.
#include "src/base/text.h"
#include "tests/pods/cli_fixture.h"
#include "tests/support/cgroups.h"

namespace harness {
namespace {

using ocirt::cat;

class PodLimits : public PodCli {
 protected:
  std::string cgroup_file(const std::string& below, const std::string& name) {
    return trim(read_file(cgroups::directory("memory", cat("/ocirt/", name_, below, "/", name))));
  }
  std::string oom_score(const std::string& container) {
    return inside(container, "cat /proc/self/oom_score_adj");
  }
  // To lower it takes a capability that not every root has.
  static bool may_lower() {
    for (const std::string& line : lines(read_file("/proc/self/status")))
      if (line.starts_with("CapEff:")) return (std::stoull(line.substr(7), nullptr, 16) >> 24) & 1;
    return false;
  }
};

// As the kubelet has it by default (NoSwap).
TEST_F(PodLimits, WhatIsLimitedInMemoryIsNotSwapped) {
  if (!cgroups::has_controller("memory")) GTEST_SKIP() << "no memory controller";
  const std::string path = file(
      "  - {name: a, IMAGE, command: [sleep, '1000'], resources: {limits: {memory: 64Mi}}}\n"
      "  - {name: b, IMAGE, command: [sleep, '1000']}\n",
      "  resources: {limits: {memory: 96Mi}}\n");
  const Json config = Json::parse(pod({"run", "--dry-run", path}).out);
  ASSERT_OK(pod({"run", path}));
  const bool v2 = cgroups::is_pure_v2();
  const std::string file = v2 ? "memory.swap.max" : "memory.memsw.limit_in_bytes";
  if (!exists(cgroups::directory("memory", cat("/ocirt/", name_, "/", file)))) {
    GTEST_SKIP() << "the kernel does not count swap";
  }
  EXPECT_EQ(cgroup_file("/a", file), v2 ? "0" : "67108864");
  EXPECT_EQ(cgroup_file("", file), v2 ? "0" : "100663296");
  EXPECT_NE(cgroup_file("/b", file), v2 ? "0" : "100663296");
  const Json& configs = config["configs"];
  EXPECT_EQ(configs["a"]["linux"]["resources"]["memory"]["swap"].print(), "67108864");
  EXPECT_EQ(config["pod"]["resources"]["memory"]["swap"].print(), "100663296");
}

TEST_F(PodLimits, WhoHasAskedForNothingEndsFirstWhenMemoryIsUsedUp) {
  ASSERT_OK(pod({"run", sleeper()}));
  EXPECT_EQ(oom_score("a"), "1000");
  EXPECT_EQ(inside("a", "cat /proc/1/oom_score_adj"), "1000");
}

TEST_F(PodLimits, WhoHasAskedForMemoryEndsLaterTheMoreItWas) {
  ASSERT_OK(pod({"run", file("  - {name: a, IMAGE, command: [sleep, '1000']}\n"
                             "  - {name: b, IMAGE, command: [sleep, '1000'], resources: "
                             "{requests: {memory: 1Pi}}}\n",
                             "  shareProcessNamespace: true\n")}));
  EXPECT_EQ(oom_score("a"), "999");
  EXPECT_EQ(oom_score("b"), "3");
  // The process that the namespace ends with.
  const std::string first = inside("a", "cat /proc/1/oom_score_adj");
  EXPECT_EQ(first, may_lower() ? "-998" : trim(read_file("/proc/self/oom_score_adj")));
}

TEST_F(PodLimits, WhoIsGuaranteedWhatItMayUseEndsLast) {
  if (!cgroups::has_controller("memory") || !cgroups::has_controller("cpu"))
    GTEST_SKIP() << "no memory controller or none of cpu";
  const std::string path = file(
      "  - {name: a, IMAGE, command: [sleep, '1000'], resources: {limits: {memory: 64Mi, cpu: "
      "'1'}}}\n");
  ASSERT_OK(pod({"run", path}));
  EXPECT_EQ(oom_score("a"), may_lower() ? "-997" : trim(read_file("/proc/self/oom_score_adj")));
  ASSERT_OK(pod({"rm", "--force", name_}));
  // Without the right to lower it nothing fails.
  Command weak = command({"run", path});
  weak.argv.insert(weak.argv.begin(),
                   {"setpriv", "--bounding-set", "-sys_resource", "--inh-caps", "-sys_resource"});
  ASSERT_OK(run_command(std::move(weak)));
  EXPECT_EQ(oom_score("a"), trim(read_file("/proc/self/oom_score_adj")));
}

}  // namespace
}  // namespace harness
