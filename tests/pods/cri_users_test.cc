// Pods with a user namespace of their own whose sandbox is the shim's.
#include <linux/nsfs.h>
#include <sys/ioctl.h>

#include "tests/pods/cri_sandbox_fixture.h"

namespace harness {
namespace {

const std::vector<oci::IdMapping> kIds = {{0, 100000, 65536}};

std::string namespace_of(pid_t pid, const char* kind) {
  return link_target(cat("/proc/", pid, "/ns/", kind));
}

// The user namespace to which a namespace belongs.
std::string owner_of(pid_t pid, const char* kind) {
  const std::string path = cat("/proc/", pid, "/ns/", kind);
  const int ns = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const int owner = ::ioctl(ns, NS_GET_USERNS);
  const std::string found = link_target(cat("/proc/self/fd/", owner));
  ::close(owner);
  ::close(ns);
  return found;
}

class CriUsers : public CriSandbox {
 protected:
  // A container of the pod, as containerd writes its configuration.
  std::string container(const std::string& id, pid_t first, const std::string& script) {
    bundle_of(id, "pod");
    bundle.shell(script);
    const std::string path = cat("/proc/", first, "/ns/");
    for (const char* kind : {"user", "ipc", "uts"}) bundle.with_namespace(kind, path + kind);
    bundle.with_namespace("network", path + "net");
    const char* ids = R"([{"containerID": 0, "hostID": 100000, "size": 65536}])";
    for (const char* set : {"bounding", "effective", "permitted"})
      bundle.set(cat("process.capabilities.", set), R"(["CAP_NET_ADMIN"])");
    bundle.remove("hostname");
    bundle.set("linux.uidMappings", ids).set("linux.gidMappings", ids).save("c");
    const std::string directory = scratch() + "/bundles/" + id;
    write_file(directory + "/config.json", read_file(bundle.path() + "/config.json"));
    return directory;
  }
  std::string start_task(const std::string& id) {
    auto request = wire::blank<wire::StartRequest>();
    request.id = wire::lend(id);
    return ask<wire::StartResponse>(address_, "Start", request);
  }
  std::string kill_task(const std::string& id) {
    auto request = wire::blank<wire::KillRequest>();
    request.id = wire::lend(id);
    request.signal = SIGKILL;
    return ask<wire::Empty>(address_, "Kill", request);
  }
  // Ended and away; the shim with it.
  void end_pod() {
    EXPECT_EQ(stop_sandbox(), "");
    EXPECT_EQ(shut_down(), "");
    EXPECT_TRUE(eventually([&] { return shim_at(address_) == 0; }));
    EXPECT_FALSE(exists(files()));
  }
};

TEST_F(CriUsers, AProcessIsInTheirNamespacesAndHasNothingElse) {
  ASSERT_EQ(create_sandbox({.ids = kIds}), "");
  const pid_t shim = shim_at(address_);
  const pid_t holder = start_sandbox();
  EXPECT_EQ(trim(read_file(cat("/proc/", shim, "/task/", shim, "/children"))),
            std::to_string(holder));
  EXPECT_EQ(names_in(cat("/proc/", shim, "/task")).size(), 1U) << "and no thread";
  for (const char* map : {"uid_map", "gid_map"}) {
    EXPECT_EQ(words(read_file(cat("/proc/", holder, "/", map))),
              (std::vector<std::string>{"0", "100000", "65536"}));
  }
  for (const char* kind : {"net", "ipc", "uts"}) {
    EXPECT_NE(namespace_of(holder, kind), namespace_of(shim, kind)) << kind;
    EXPECT_EQ(owner_of(holder, kind), namespace_of(holder, "user")) << kind;
  }
  EXPECT_EQ(namespace_of(holder, "pid"), namespace_of(shim, "pid"));
  const std::string status = read_file(cat("/proc/", holder, "/status"));
  EXPECT_EQ(words(field(status, "Uid:")), std::vector<std::string>(4, "100000"));
  EXPECT_EQ(words(field(status, "Gid:")), std::vector<std::string>(4, "100000"));
  EXPECT_EQ(field(status, "Groups:"), "");
  EXPECT_EQ(field(status, "CapPrm:"), "0000000000000000");
  EXPECT_TRUE(eventually([&] { return names_in(cat("/proc/", holder, "/fd")).empty(); }));
  EXPECT_EQ(names_in(cat("/proc/", holder, "/root")).size(), 0U);
  EXPECT_EQ(state(), "SANDBOX_READY");

  EXPECT_EQ(stop_sandbox(), "");
  EXPECT_TRUE(eventually([&] { return !exists(cat("/proc/", holder)); }));
  EXPECT_EQ(state(), "SANDBOX_NOTREADY");
  end_pod();
}

TEST_F(CriUsers, ContainersAreRootOfThePodAlone) {
  ASSERT_EQ(create_sandbox({.sysctl = "net.ipv4.ip_unprivileged_port_start", .ids = kIds}), "");
  const pid_t holder = start_sandbox();
  const std::string said = scratch() + "/said";
  write_file(said, "");
  ::chmod(said.c_str(), 0666);
  bundle.file("/said", "").mount("/said", "bind", said, {"bind"});
  const std::string path = container(
      "app", holder,
      "{ id -u; hostname; cat /proc/sys/net/ipv4/ip_unprivileged_port_start; ip link set lo up && "
      "echo up; } > /said 2>&1; exec sleep 60");
  ASSERT_EQ(create(address_, "app", path), "");
  ASSERT_EQ(start_task("app"), "");
  EXPECT_TRUE(eventually([&] { return lines(read_file(said)).size() >= 4; }));
  EXPECT_EQ(read_file(said), "0\nbox\n1\nup\n");
  EXPECT_EQ(kill_task("app"), "");
  EXPECT_TRUE(eventually([&] { return remove(address_, "app").empty(); }));
  end_pod();
}

TEST_F(CriUsers, IpcParametersAreThePods) {
  ASSERT_EQ(create_sandbox({.sysctl = "kernel.shm_rmid_forced", .ids = kIds}), "");
  const std::string ipc = cat("--ipc=/proc/", start_sandbox(), "/ns/ipc");
  Command look;
  look.argv = {"nsenter", ipc, "cat", "/proc/sys/kernel/shm_rmid_forced"};
  EXPECT_EQ(run_command(look).out, "1\n");
  EXPECT_EQ(read_file("/proc/sys/kernel/shm_rmid_forced"), "0\n");
  end_pod();
}

TEST_F(CriUsers, ThePidNamespaceThatTheyShareIsTheirs) {
  ASSERT_EQ(create_sandbox({.pids = 0, .ids = kIds}), "");
  const pid_t first = start_sandbox();
  EXPECT_NE(namespace_of(first, "pid"), namespace_of(shim_at(address_), "pid"));
  EXPECT_EQ(owner_of(first, "pid"), namespace_of(first, "user"));
  end_pod();
}

TEST_F(CriUsers, ANetworkThatWasMadeInAUserNamespaceBringsThatWithIt) {
  Command unshare;
  unshare.argv = {"unshare", "--user", "--map-root-user", "--net", "sleep", "60"};
  Process maker(unshare);
  ASSERT_TRUE(eventually([&] {
    return namespace_of(maker.pid(), "net") != namespace_of(::getpid(), "net") &&
           trim(read_file(cat("/proc/", maker.pid(), "/comm"))) == "sleep";
  }));
  ASSERT_EQ(create_sandbox({.netns = cat("/proc/", maker.pid(), "/ns/net"), .ids = kIds}), "");
  const pid_t holder = start_sandbox();
  EXPECT_EQ(namespace_of(holder, "net"), namespace_of(maker.pid(), "net"));
  EXPECT_EQ(namespace_of(holder, "user"), namespace_of(maker.pid(), "user"));
  end_pod();
}

TEST_F(CriUsers, InTheHostsNetworkTheyHaveTheHostsName) {
  ASSERT_EQ(create_sandbox({.network = 2, .ids = kIds}), "");
  const pid_t holder = start_sandbox();
  for (const char* kind : {"net", "uts"})
    EXPECT_EQ(namespace_of(holder, kind), namespace_of(::getpid(), kind)) << kind;
  EXPECT_EQ(owner_of(holder, "ipc"), namespace_of(holder, "user"));
  end_pod();
}

TEST_F(CriUsers, WhatFailsLeavesNoProcess) {
  EXPECT_SAYS(create_sandbox({.sysctl = "net.ipv4.there_is_none", .ids = kIds}),
              "sysctls: net.ipv4.there_is_none");
  EXPECT_TRUE(eventually([&] { return shim_at(address_) == 0; }));
  reap_orphans();
  for (const auto& [pid, line] : living_orphans())
    EXPECT_FALSE(line.starts_with("pause")) << pid << " " << line;
  EXPECT_FALSE(exists(files()));
}

TEST_F(CriUsers, MappingsThatTheKernelRefusesAreNamed) {
  EXPECT_SAYS(create_sandbox({.ids = {{0, 100000, 10}, {5, 200000, 10}}}),
              "uid_map: ranges overlap");
}

TEST_F(CriUsers, DeleteOfOneWhoseShimWasKilledEndsTheirProcess) {
  ASSERT_EQ(create_sandbox({.ids = kIds}), "");
  const pid_t holder = start_sandbox();
  const pid_t shim = shim_at(address_);
  ::kill(shim, SIGKILL);
  ASSERT_TRUE(wait_for_end(shim));
  EXPECT_TRUE(exists(cat("/proc/", holder))) << "running containers need it still";
  EXPECT_OK(run_command(command("pod", path_, "delete")));
  reap_orphans();
  EXPECT_FALSE(exists(cat("/proc/", holder)));
  EXPECT_FALSE(exists(files()));
}

}  // namespace
}  // namespace harness
