#include "src/linux/sysctl.h"

#include <gtest/gtest.h>

namespace ocirt {
namespace {

std::string refusal(std::string_view key, const SysctlScope& scope) {
  auto result = check_sysctl(key, scope);
  return result ? "" : result.error().text;
}

constexpr SysctlScope kAll{.ipc = true, .network = true, .uts = true, .user = true};

TEST(Sysctl, EveryNamespacedKeyNeedsItsNamespace) {
  struct Case {
    const char* key;
    bool SysctlScope::* needs;
  };
  for (const Case& c :
       {Case{"kernel.msgmax", &SysctlScope::ipc}, Case{"kernel.msgmnb", &SysctlScope::ipc},
        Case{"kernel.msgmni", &SysctlScope::ipc}, Case{"kernel.sem", &SysctlScope::ipc},
        Case{"kernel.shmall", &SysctlScope::ipc}, Case{"kernel.shmmax", &SysctlScope::ipc},
        Case{"kernel.shmmni", &SysctlScope::ipc}, Case{"kernel.shm_rmid_forced", &SysctlScope::ipc},
        Case{"kernel/shmmax", &SysctlScope::ipc}, Case{"fs.mqueue.msg_max", &SysctlScope::ipc},
        Case{"net.ipv4.ip_forward", &SysctlScope::network},
        Case{"net/ipv4/conf/eth0.100/forwarding", &SysctlScope::network},
        Case{"kernel.domainname", &SysctlScope::uts},
        Case{"user.max_mnt_namespaces", &SysctlScope::user}}) {
    SysctlScope only{};
    only.*c.needs = true;
    EXPECT_EQ(refusal(c.key, only), "") << c.key;
    SysctlScope rest = kAll;
    rest.*c.needs = false;
    EXPECT_NE(refusal(c.key, rest).find("needs a "), std::string::npos) << c.key;
  }
}

TEST(Sysctl, KeysOfTheWholeHostAreRefusedWithEveryNamespace) {
  for (auto key : {"kernel.core_pattern", "vm.swappiness", "fs.file-max", "kernel.pid_max", "net",
                   "kernel.msgmaxx", "fs.mqueue", "network.x", "kernel/core_pattern"}) {
    EXPECT_NE(refusal(key, kAll).find("is not in a separate kernel namespace"), std::string::npos)
        << key;
  }
}

TEST(Sysctl, HostnameAndDomainnameHaveProperties) {
  EXPECT_NE(refusal("kernel.hostname", kAll).find("conflicts with the property hostname"),
            std::string::npos);
  EXPECT_NE(refusal("kernel/hostname", kAll).find("hostname"), std::string::npos);
  SysctlScope scope = kAll;
  EXPECT_EQ(refusal("kernel.domainname", scope), "");
  scope.domainname_set = true;
  EXPECT_NE(refusal("kernel.domainname", scope).find("conflicts"), std::string::npos);
}

TEST(Sysctl, TheFirstSeparatorDecidesWhatIsAPath) {
  EXPECT_EQ(*sysctl_path("net.ipv4.ip_forward"), "net/ipv4/ip_forward");
  EXPECT_EQ(*sysctl_path("net/ipv4/ip_forward"), "net/ipv4/ip_forward");
  EXPECT_EQ(*sysctl_path("net.ipv4.conf.eth0/100.forwarding"), "net/ipv4/conf/eth0.100/forwarding");
  EXPECT_EQ(*sysctl_path("net/ipv4/conf/eth0.100/forwarding"), "net/ipv4/conf/eth0.100/forwarding");
  EXPECT_EQ(sysctl_name("net/ipv4/conf/eth0.100/forwarding"), "net.ipv4.conf.eth0/100.forwarding");
  EXPECT_EQ(sysctl_name("plain"), "plain");
}

TEST(Sysctl, NoKeyLeadsOutOfItsDirectory) {
  for (std::string_view key : std::initializer_list<std::string_view>{
           "net/../kernel/core_pattern", "net.//.kernel.core_pattern", "net..x", "", ".net",
           "/net/x", "net/", "net.", "net/./x", "../x", std::string_view("net.a\0b", 7)}) {
    EXPECT_FALSE(sysctl_path(key)) << key;
    EXPECT_NE(refusal(key, kAll), "") << key;
  }
}

}  // namespace
}  // namespace ocirt
