#include "src/linux/default_devices.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

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
  const auto allows = [](char type, int64_t major, int64_t minor, std::string_view access) {
    return std::ranges::any_of(default_device_rules(), [&](const DefaultDeviceRule& rule) {
      return rule.type == type && rule.major == major && rule.minor == minor &&
             rule.access == access;
    });
  };
  EXPECT_TRUE(allows('c', -1, -1, "m"));
  EXPECT_TRUE(allows('b', -1, -1, "m"));
  for (const DefaultDevice& device : default_devices()) {
    EXPECT_TRUE(allows('c', device.major, device.minor, "rwm")) << device.path;
  }
  EXPECT_TRUE(allows('c', 5, 1, "rwm"));
  EXPECT_TRUE(allows('c', 5, 2, "rwm"));
  EXPECT_TRUE(allows('c', 136, -1, "rwm"));
  EXPECT_TRUE(allows('c', 10, 200, "rwm"));
  EXPECT_EQ(default_device_rules().size(), 12u);
}

}  // namespace
}  // namespace ocirt
