#include "src/linux/default_devices.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>

namespace ocirt {
namespace {

TEST(DefaultDevices, AreTheNodesThatTheSpecificationLists) {
  std::vector<std::string> paths;
  for (const DefaultDevice& device : default_devices()) paths.push_back(device.path);
  EXPECT_EQ(paths, (std::vector<std::string>{"/dev/null", "/dev/zero", "/dev/full", "/dev/random",
                                             "/dev/urandom", "/dev/tty"}));
}

TEST(DefaultDevices, HaveTheNumbersOfThisMachinesNodes) {
  for (const DefaultDevice& device : default_devices()) {
    struct stat st;
    if (stat(device.path, &st) != 0) continue;
    EXPECT_TRUE(S_ISCHR(st.st_mode));
    EXPECT_EQ(st.st_rdev, makedev(device.major, device.minor)) << device.path;
  }
}

TEST(DefaultDevices, AreFoundByPathHoweverItIsWritten) {
  ASSERT_NE(default_device("/dev/null"), nullptr);
  EXPECT_EQ(default_device("/dev//./null"), default_device("/dev/null"));
  EXPECT_EQ(default_device("/dev/fuse"), nullptr);
  EXPECT_EQ(default_device("/dev/null0"), nullptr);
}

TEST(DefaultDevices, LinksLeadToTheProcessAndToItsOwnPtmx) {
  std::vector<std::pair<std::string, std::string>> links;
  for (const DefaultLink& link : default_links()) {
    EXPECT_EQ(link.only_if_target, std::string(link.path) == "/dev/core");
    links.emplace_back(link.path, link.target);
  }
  EXPECT_EQ(links,
            (std::vector<std::pair<std::string, std::string>>{{"/dev/fd", "/proc/self/fd"},
                                                              {"/dev/stdin", "/proc/self/fd/0"},
                                                              {"/dev/stdout", "/proc/self/fd/1"},
                                                              {"/dev/stderr", "/proc/self/fd/2"},
                                                              {"/dev/ptmx", "pts/ptmx"},
                                                              {"/dev/core", "/proc/kcore"}}));
}

TEST(DefaultDevices, RulesAllowMakingAnyNodeAndUsingTheDefaultOnes) {
  auto rules = default_device_cgroup();
  ASSERT_EQ(rules.size(), default_device_rules().size());
  auto allows = [&](std::string type, std::optional<int64_t> major, std::optional<int64_t> minor,
                    std::string access) {
    return std::any_of(rules.begin(), rules.end(), [&](const oci::DeviceCgroup& rule) {
      return rule == oci::DeviceCgroup{true, type, major, minor, access};
    });
  };
  EXPECT_TRUE(allows("c", {}, {}, "m"));
  EXPECT_TRUE(allows("b", {}, {}, "m"));
  for (const DefaultDevice& device : default_devices()) {
    EXPECT_TRUE(allows("c", device.major, device.minor, "rwm")) << device.path;
  }
  EXPECT_TRUE(allows("c", 5, 1, "rwm"));
  EXPECT_TRUE(allows("c", 5, 2, "rwm"));
  EXPECT_TRUE(allows("c", 136, {}, "rwm"));
  EXPECT_TRUE(allows("c", 10, 200, "rwm"));
  EXPECT_EQ(rules.size(), 12u);
}

}  // namespace
}  // namespace ocirt
