#include "src/linux/security_modules.h"

#include <gtest/gtest.h>

#include "src/sys/test_directory.h"

namespace ocirt {
namespace {

class SecurityModulesTest : public sys::TestDirectory {};

std::string text(const Result<>& result) { return result ? "" : result.error().text; }

TEST_F(SecurityModulesTest, AppArmorIsThereWhenItsParameterSaysY) {
  EXPECT_FALSE(security_modules(path).apparmor);
  ASSERT_TRUE(sys::mkdir_parents(path + "/module/apparmor/parameters", 0700));
  put("module/apparmor/parameters/enabled", "N\n");
  EXPECT_FALSE(security_modules(path).apparmor);
  put("module/apparmor/parameters/enabled", "Y\n");
  EXPECT_TRUE(security_modules(path).apparmor);
}

TEST_F(SecurityModulesTest, ADirectoryIsNotSelinux) {
  ASSERT_TRUE(sys::mkdir_parents(path + "/fs/selinux", 0700));
  EXPECT_FALSE(security_modules(path).selinux);
}

TEST(SecurityLabels, WhatNobodyWouldEnforceIsRefused) {
  EXPECT_EQ(text(check_apparmor({}, "box", "process.apparmorProfile")),
            "not supported: process.apparmorProfile: \"box\" is asked for, but AppArmor is not "
            "enabled on this host");
  EXPECT_EQ(text(check_apparmor({.apparmor = true}, "box", "p")), "");
  EXPECT_EQ(text(check_apparmor({}, "unconfined", "p")), "");
  EXPECT_EQ(text(check_selinux({}, "u:r:t:s0", "linux.mountLabel")),
            "not supported: linux.mountLabel: \"u:r:t:s0\" is asked for, but SELinux is not "
            "enabled on this host");
  EXPECT_EQ(text(check_selinux({.selinux = true}, "u:r:t:s0:c1,c2", "p")), "");
}

TEST(SecurityLabels, ALabelCannotBringMountOptionsAlong) {
  for (const char* label : {"u:r:t\",size=1", "u:r:t s0", "u:r:t\n", "u\\:r"}) {
    EXPECT_NE(text(check_selinux({.selinux = true}, label, "p")).find("is no label"),
              std::string::npos)
        << label;
  }
  EXPECT_EQ(context_option("u:r:t", "rootcontext"), "rootcontext=\"u:r:t\"");
  EXPECT_EQ(context_option("u:r:t:s0:c1,c2"), "context=\"u:r:t:s0:c1,c2\"");
}

TEST(SecurityLabels, GoToFileSystemsThatTakeThem) {
  EXPECT_TRUE(takes_context("tmpfs"));
  EXPECT_TRUE(takes_context("devpts"));
  EXPECT_FALSE(takes_context("proc"));
  EXPECT_FALSE(takes_context("sysfs"));
  EXPECT_FALSE(takes_context("cgroup2"));
  EXPECT_FALSE(takes_context("mqueue"));
  EXPECT_TRUE(needs_root_label("mqueue"));
  EXPECT_FALSE(needs_root_label("tmpfs"));
}

}  // namespace
}  // namespace ocirt
