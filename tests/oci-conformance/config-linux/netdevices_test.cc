// config-linux.md, "Network Devices" (1.3): devices of the host in the container. The host is a
// network namespace that each test makes and in which runtime and test are; everything in it
// vanishes with it. Outcomes are looked at from inside the container, and from the host where a
// device should be back.
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "tests/support/fixture.h"

namespace harness {
namespace {

class NetDevices : public ContainerTest {
 protected:
  void SetUp() override {
    ContainerTest::SetUp();
    before_ = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    ASSERT_EQ(0, unshare(CLONE_NEWNET));
    const Json* enabled = nullptr;
    const Json all = features();
    if (all["linux"].has("netDevices")) enabled = all.find("linux.netDevices.enabled");
    if (enabled == nullptr || !enabled->is_true()) {
      GTEST_SKIP() << "the runtime does not claim linux.netDevices in `features`";
    }
    // dev1 and dev2 are the devices that are moved, far1 and far2 the other ends of their wires.
    host("ip link set lo up");
    host("ip link add dev1 mtu 1400 address 02:00:00:00:00:11 type veth peer name far1");
    host("ip link add dev2 type veth peer name far2");
    host("ip link set far1 up; ip link set far2 up; ip addr add 10.77.0.1/24 dev far1");
  }
  void TearDown() override {
    // The descriptor is not the test's: it would be counted as left behind.
    if (before_ >= 0) {
      setns(before_, CLONE_NEWNET);
      close(before_);
    }
    ContainerTest::TearDown();
  }

  // On the host; what it printed.
  static std::string host(const std::string& script) {
    const Outcome outcome = run_command({.argv = {"sh", "-ec", script}});
    EXPECT_OK(outcome);
    return outcome.out;
  }
  static bool on_host(const std::string& name) { return exists("/proc/sys/net/ipv4/conf/" + name); }

  // Moves the device, under another name unless that is empty.
  Bundle& device(const std::string& name, const std::string& inside = "") {
    return device(bundle, name, inside);
  }
  static Bundle& device(Bundle& bundle, const std::string& name, const std::string& inside) {
    return bundle.set("linux.netDevices." + name,
                      inside.empty() ? "{}" : R"({"name": ")" + inside + R"("})");
  }
  // The device is on the host as `prepare_for_return` left it.
  static void expect_returned() {
    const std::string seen = host("ip addr show dev1");
    EXPECT_SAYS(seen, "mtu 1400");
    EXPECT_SAYS(seen, ",UP");
    EXPECT_SAYS(seen, "master br9");
    EXPECT_SAYS(seen, "inet 10.77.0.2/24 brd 10.77.0.255 scope global dev1");
    EXPECT_SAYS(seen, "inet6 fd00:77::2/64 scope global");
    EXPECT_SAYS(seen, "inet 10.78.0.2/24 scope link dev1");
    EXPECT_SAYS(seen, "inet 10.79.0.2/24 scope global dynamic dev1");
    const std::string routes = host("ip route; ip -6 route; ip route show table 77");
    EXPECT_SAYS(routes, "default via 10.77.0.9 dev dev1");
    EXPECT_SAYS(routes, "10.81.0.0/24 via 10.82.0.1 dev dev1 proto static metric 7");
    EXPECT_SAYS(routes, "10.82.0.1 dev dev1 scope link");
    EXPECT_SAYS(routes, "fd00:78::/64 via fd00:77::1 dev dev1");
    EXPECT_SAYS(routes, "10.83.0.0/24 dev dev1 scope link");
    EXPECT_FALSE(says(host("ip link show dev2"), ",UP")) << "dev2 was not up";
  }
  void prepare_for_return() {
    host("ip link add br9 type bridge; ip link set dev1 master br9");
    host("ip addr add 10.77.0.2/24 brd + dev dev1; ip addr add fd00:77::2/64 dev dev1 nodad");
    host("ip addr add 10.78.0.2/24 scope link dev dev1");
    host("ip addr add 10.79.0.2/24 dev dev1 valid_lft 1000 preferred_lft 1000");
    host("ip link set dev1 up; ip route add default via 10.77.0.9 dev dev1");
    host("ip route add 10.82.0.1/32 dev dev1; ip route add 10.83.0.0/24 dev dev1 table 77");
    host("ip route add 10.81.0.0/24 via 10.82.0.1 metric 7 proto static");
    host("ip -6 route add fd00:78::/64 via fd00:77::1 dev dev1");
    device("dev1", "in1");
    device("dev2", "in2");
  }

  int before_ = -1;
};

// A network namespace with a process in it, which is joined by path.
class Namespace {
 public:
  Namespace() : process_({.argv = {"unshare", "-n", "sleep", "100"}}) {}
  std::string path() const { return "/proc/" + std::to_string(process_.pid()) + "/ns/net"; }
  bool ready() const {
    return eventually([&] {
      const std::string link = link_target(path());
      return !link.empty() && link != link_target("/proc/self/ns/net");
    });
  }
  std::string run(const std::string& script) const {
    const Outcome outcome =
        run_command({.argv = {"nsenter", "--net=" + path(), "sh", "-c", script}});
    EXPECT_OK(outcome);
    return outcome.out;
  }

 private:
  Process process_;
};

TEST_F(NetDevices, AreUpInTheContainerUnderTheirNewName) {
  SPEC("config-linux.md#network-devices",
       "The runtime MUST set the network device state to \"up\" after moving it to the network "
       "namespace.");
  device("dev1", "in1").shell("ip link show in1; ls /sys/class/net; exec sleep 100");
  Container container(runtime, bundle);
  container.launch();
  EXPECT_FALSE(on_host("dev1"));
  EXPECT_TRUE(on_host("dev2"));
  ASSERT_TRUE(eventually([&] { return says(container.output(), "lo\n"); })) << container.output();
  EXPECT_SAYS(container.output(), ",UP");
  EXPECT_SAYS(container.output(), "\nin1\n");
  EXPECT_FALSE(says(container.output(), "dev1\n"));
}

TEST_F(NetDevices, KeepTheirNameWhenNoneIsGiven) {
  SPEC("config-linux.md#network-devices", "name: If not specified, the host name is used.");
  device("dev1").set("linux.netDevices.dev2", R"({"name": ""})");
  const std::string seen = run_shell("ip link show dev1; ip link show dev2");
  EXPECT_SAYS(seen, "dev1");
  EXPECT_SAYS(seen, "dev2");
}

TEST_F(NetDevices, KeepTheirAttributes) {
  SPEC("config-linux.md#network-devices",
       "The runtime MUST preserve the existing network interface attributes, as defined by the "
       "kernel, including IP addresses.");
  host("ip addr add 10.77.0.2/24 brd + dev dev1; ip addr add 10.77.0.3/24 dev dev1");
  host("ip addr add 10.78.0.1 peer 10.78.0.2/32 dev dev1 label dev1:x");
  host("ip addr add fd00:77::2/64 dev dev1; ip link set dev1 up");
  const std::string seen = (device("dev1", "in1"), run_shell("ip addr show in1"));
  EXPECT_SAYS(seen, "mtu 1400");
  EXPECT_SAYS(seen, "link/ether 02:00:00:00:00:11");
  EXPECT_SAYS(seen, "inet 10.77.0.2/24 brd 10.77.0.255 scope global in1");
  EXPECT_SAYS(seen, "inet 10.77.0.3/24 scope global secondary in1");
  EXPECT_SAYS(seen, "inet 10.78.0.1 peer 10.78.0.2/32 scope global in1:x");
  EXPECT_SAYS(seen, "inet6 fd00:77::2/64 scope global");
}

TEST_F(NetDevices, LoseAddressesOfOtherScopesAndThoseThatExpire) {
  host("ip addr add 10.77.0.2/24 dev dev1 valid_lft 1000 preferred_lft 1000");
  host("ip addr add 10.79.0.2/24 dev dev1 scope link; ip link set dev1 up");
  device("dev1", "in1");
  EXPECT_FALSE(says(run_shell("ip -4 addr show in1"), "inet"));
}

TEST_F(NetDevices, CarryTraffic) {
  host("ip addr add 10.77.0.2/24 dev dev1");
  device("dev1");
  for (const char* set : {"bounding", "permitted", "effective"}) {
    bundle.append(std::string("process.capabilities.") + set, R"("CAP_NET_RAW")");
  }
  EXPECT_SAYS(run_shell("ping -c 1 -W 2 10.77.0.1"), "1 packets received");
}

TEST_F(NetDevices, ATemplateLeavesTheNumberToTheKernel) {
  SPEC(
      "config-linux.md#network-devices",
      "If the user has provided a template by appending %d to the new name, the runtime MUST allow "
      "the move, and the kernel will generate a unique name.");
  device("dev1", "eth%d");
  device("dev2", "eth%d");
  const std::string seen = run_shell("ls /sys/class/net");
  EXPECT_SAYS(seen, "eth0\n");
  EXPECT_SAYS(seen, "eth1\n");
}

TEST_F(NetDevices, MayTakeEachOthersNames) {
  device("dev1", "dev2");
  device("dev2", "dev1");
  EXPECT_SAYS(run_shell("ip link show dev2"), "02:00:00:00:00:11");
}

TEST_F(NetDevices, OfOtherKindsAreMovedAsWell) {
  host("ip link add mac1 link far2 type macvlan mode bridge; ip addr add 10.80.0.1/24 dev mac1");
  device("mac1", "in1");
  EXPECT_SAYS(run_shell("ip addr show in1"), "10.80.0.1/24");
}

TEST_F(NetDevices, AreThereForHooksAndSysctls) {
  const std::string seen = scratch() + "/seen";
  host("ip addr add 10.77.0.2/24 dev dev1");
  write_file(scratch() + "/hook", "#!/bin/sh\nip link show dev1 >" + seen + " 2>&1\ntrue\n", 0755);
  bundle.set("hooks.createRuntime", R"([{"path": ")" + scratch() + R"(/hook"}])");
  device("dev1", "in1").set("linux.sysctl", R"({"net/ipv4/conf/in1/forwarding": "1"})");
  EXPECT_EQ("1\n", run_shell("cat /proc/sys/net/ipv4/conf/in1/forwarding"));
  EXPECT_SAYS(read_file(seen), "does not exist");
}

TEST_F(NetDevices, AreSeenByExec) {
  device("dev1", "in1").shell("exec sleep 100");
  Container container(runtime, bundle);
  container.launch();
  const Outcome outcome = container.exec_shell("ip link show in1");
  ASSERT_OK(outcome);
  EXPECT_SAYS(outcome.out, ",UP");
}

TEST_F(NetDevices, VirtualOnesEndWithTheNamespace) {
  SPEC("config-linux.md#network-devices",
       "After deleting a network namespace, all its migratable network devices are moved to the "
       "default network namespace, virtual devices (veth, macvlan, ...) are destroyed.");
  device("dev1", "in1").shell("exec sleep 100");
  Container container(runtime, bundle);
  container.launch();
  ASSERT_OK(container.remove({"--force"}));
  EXPECT_TRUE(eventually([] { return !on_host("far1"); })) << "the other end outlived it";
  EXPECT_FALSE(on_host("dev1"));
}

// It is its owner's, who disposes of what is in it: runc and crun leave it alone as well.
TEST_F(NetDevices, GoIntoANamespaceThatIsJoinedAndStayThere) {
  const Namespace joined;
  ASSERT_TRUE(joined.ready());
  host("ip addr add 10.77.0.2/24 dev dev1");
  device("dev1", "in1").with_namespace("network", joined.path()).shell("exec sleep 100");
  Container container(runtime, bundle);
  container.launch();
  EXPECT_SAYS(joined.run("ip addr show in1"), "10.77.0.2/24");
  ASSERT_OK(container.remove({"--force"}));
  EXPECT_SAYS(joined.run("ip addr show in1"), "10.77.0.2/24");
}

// -- refusals

TEST_F(NetDevices, ThatDoNotExistAreRefused) {
  device("dev1", "in1");
  device("nosuch", "in2");
  Container container(runtime, bundle);
  const Outcome outcome = container.create();
  EXPECT_FALSE(outcome.ok());
  EXPECT_SAYS(outcome.err, "nosuch");
  EXPECT_TRUE(on_host("dev1"));
}

TEST_F(NetDevices, NeedANetworkNamespaceThatIsNotTheHosts) {
  device("dev1", "in1").without_namespace("network");
  {
    Container container(runtime, bundle);
    const Outcome outcome = container.create();
    EXPECT_FALSE(outcome.ok());
    EXPECT_SAYS(outcome.err, "network");
  }
  bundle.with_namespace("network", "/proc/" + std::to_string(getpid()) + "/ns/net");
  Container container(runtime, bundle);
  const Outcome outcome = container.create();
  EXPECT_FALSE(outcome.ok());
  EXPECT_SAYS(outcome.err, "network namespace");
  EXPECT_TRUE(on_host("dev1"));
}

TEST_F(NetDevices, ThatAreBoundToTheirNamespaceAreRefused) {
  prepare_for_return();
  device("lo", "in3");
  Container container(runtime, bundle);
  const Outcome outcome = container.create();
  EXPECT_FALSE(outcome.ok());
  EXPECT_SAYS(outcome.err, "lo");
  expect_returned();
}

TEST_F(NetDevices, ANameThatIsTakenIsRefusedAndAllAreReturned) {
  SPEC("config-linux.md#network-devices",
       "If a network device with the specified name already exists in the container namespace, the "
       "runtime MUST generate an error.");
  const Namespace joined;
  ASSERT_TRUE(joined.ready());
  joined.run("ip link add in2 type veth peer name other");
  prepare_for_return();
  bundle.with_namespace("network", joined.path());
  {
    Container container(runtime, bundle);
    const Outcome outcome = container.create();
    EXPECT_FALSE(outcome.ok());
    EXPECT_SAYS(outcome.err, "in2");
    EXPECT_EQ("", container.status());
  }
  expect_returned();
  EXPECT_FALSE(says(joined.run("ip link"), "in1"));
}

// ocirt alone: who moves the devices is a program of its own, which a distribution may leave out.
TEST_F(NetDevices, AreRefusedAndNotOfferedWithoutTheProgramThatMovesThem) {
  if (runtime.name() != "ocirt") GTEST_SKIP() << "is about ocirt's programs";
  const std::string alone = scratch() + "/ocirt";
  host("cp '" + runtime.program() + "' '" + alone + "'");
  if (cgroups::by_systemd()) host("cp '" + runtime.program() + "-systemd' '" + scratch() + "'");
  const Runtime without(scratch() + "/other-state", alone);
  EXPECT_FALSE(
      Json::parse(without.run({"features"}).out).find("linux.netDevices.enabled")->is_true());
  device("dev1", "in1");
  Container container(without, bundle);
  EXPECT_FAILS(container.create(), 1, "not supported: linux.netDevices: the program ocirt-net is ");
  EXPECT_TRUE(on_host("dev1"));
}

// -- a later step fails

TEST_F(NetDevices, AreReturnedWhenAHookFails) {
  prepare_for_return();
  for (const char* kind : {"prestart", "createRuntime", "createContainer"}) {
    bundle.set("hooks", std::string(R"({")") + kind + R"(": [{"path": "/bin/false"}]})");
    Container container(runtime, bundle);
    EXPECT_FALSE(container.create().ok()) << kind;
    expect_returned();
  }
}

TEST_F(NetDevices, AreReturnedBeforeThePoststopHooksOfAContainerThatFailed) {
  prepare_for_return();
  const std::string seen = scratch() + "/seen";
  write_file(scratch() + "/hook", "#!/bin/sh\nip link show dev1 >" + seen + " 2>&1\n", 0755);
  bundle.set("hooks", R"({"createRuntime": [{"path": "/bin/false"}], "poststop": [{"path": ")" +
                          scratch() + R"(/hook"}]})");
  Container container(runtime, bundle);
  EXPECT_FALSE(container.create().ok());
  EXPECT_SAYS(read_file(seen), "dev1");
  expect_returned();
}

TEST_F(NetDevices, AreReturnedWhenTheProgramIsMissing) {
  prepare_for_return();
  bundle.args({"/no/such/program"});
  {
    Container container(runtime, bundle);
    EXPECT_FALSE(container.create().ok());
    expect_returned();
  }
  Container container(runtime, bundle);
  EXPECT_FALSE(container.run().ok());
  expect_returned();
}

TEST_F(NetDevices, AreReturnedWhenThePidFileCannotBeWritten) {
  prepare_for_return();
  Container container(runtime, bundle);
  EXPECT_FALSE(container.create({"--pid-file", scratch() + "/missing/pid"}).ok());
  expect_returned();
}

TEST_F(NetDevices, AreReturnedFromANamespaceThatIsJoined) {
  const Namespace joined;
  ASSERT_TRUE(joined.ready());
  prepare_for_return();
  bundle.with_namespace("network", joined.path()).args({"/no/such/program"});
  Container container(runtime, bundle);
  EXPECT_FALSE(container.create().ok());
  expect_returned();
  EXPECT_FALSE(says(joined.run("ip link"), "in1"));
}

}  // namespace
}  // namespace harness
