// config-linux.md, "Sysctl": only those of namespaces that the container owns may be set.
#include "tests/support/fixture.h"

namespace harness {
namespace {

class Sysctl : public ContainerTest {};

TEST_F(Sysctl, IsSetInTheContainersNamespaces) {
  SPEC("config-linux.md#sysctl",
       "sysctl allows kernel parameters to be modified at runtime for the container.");
  const std::string before = read_file("/proc/sys/net/ipv4/ip_forward");
  bundle.set("linux.sysctl", R"({"net.ipv4.ip_forward": "1", "net.ipv4.ping_group_range": "7 77",
                                 "kernel.msgmax": "4096", "fs.mqueue.msg_max": "12"})");
  const std::string seen = run_shell(
      "cd /proc/sys; cat net/ipv4/ip_forward net/ipv4/ping_group_range kernel/msgmax "
      "fs/mqueue/msg_max");
  EXPECT_EQ((std::vector<std::string>{"1", "7", "77", "4096", "12"}), words(seen));
  EXPECT_EQ(before, read_file("/proc/sys/net/ipv4/ip_forward"));
}

TEST_F(Sysctl, TakesSlashesForDots) {
  bundle.set("linux.sysctl", R"({"net/ipv4/ip_forward": "1"})");
  EXPECT_EQ("1\n", run_shell("cat /proc/sys/net/ipv4/ip_forward"));
}

TEST_F(Sysctl, OfTheHostsNetworkIsRefused) {
  const std::string before = read_file("/proc/sys/net/ipv4/ip_forward");
  bundle.without_namespace("network").set("linux.sysctl", R"({"net.ipv4.ip_forward": "1"})");
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create(), 1, "net.ipv4.ip_forward");
  EXPECT_EQ(before, read_file("/proc/sys/net/ipv4/ip_forward"));
}

TEST_F(Sysctl, ThatHasNoNamespaceIsRefused) {
  const std::string before = read_file("/proc/sys/vm/swappiness");
  bundle.set("linux.sysctl", R"({"vm.swappiness": "11"})");
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create(), 1, "vm.swappiness");
  EXPECT_EQ(before, read_file("/proc/sys/vm/swappiness"));
  EXPECT_TRUE(names_in(runtime.root()).empty());
}

TEST_F(Sysctl, ThatIsUnknownIsAnErrorThatNamesIt) {
  bundle.set("linux.sysctl", R"({"net.ipv4.absent_setting": "1"})");
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create(), 1, "absent_setting");
  EXPECT_TRUE(names_in(runtime.root()).empty());
}

TEST_F(Sysctl, OfTheHostsIpcIsRefused) {
  for (const char* key : {"kernel.msgmax", "fs.mqueue.msg_max"}) {
    bundle.without_namespace("ipc").set("linux.sysctl", std::string("{\"") + key + "\": \"12\"}");
    {
      Container container(runtime, bundle);
      EXPECT_FAILS(container.create(), 1, key);
    }
    bundle.with_namespace("ipc");
  }
}

TEST_F(Sysctl, IsSetInANamespaceThatIsJoined) {
  Process holder({.argv = {"unshare", "-n", "sleep", "100"}});
  const std::string path = "/proc/" + std::to_string(holder.pid()) + "/ns/net";
  ASSERT_TRUE(eventually([&] {
    const std::string link = link_target(path);
    return !link.empty() && link != link_target("/proc/self/ns/net");
  }));
  bundle.with_namespace("network", path);
  bundle.set("linux.sysctl", R"({"net.ipv4.ip_forward": "1"})");
  EXPECT_EQ("1\n", run_shell("cat /proc/sys/net/ipv4/ip_forward"));
  const Outcome seen =
      run_command({.argv = {"nsenter", "--net=" + path, "cat", "/proc/sys/net/ipv4/ip_forward"}});
  EXPECT_EQ("1\n", seen.out);
}

TEST_F(Sysctl, AValueThatTheKernelRefusesIsAnErrorThatNamesTheKey) {
  bundle.set("linux.sysctl", R"({"net.ipv4.ip_forward": "many"})");
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create(), 1, "ip_forward");
}

}  // namespace
}  // namespace harness
