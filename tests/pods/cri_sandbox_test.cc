// The Sandbox service of the shim under containerd, as its CRI plugin uses it with `sandboxer =
// "shim"`. What a real daemon does with it: tests/engines/sandboxed.py.
#include <sys/mount.h>

#include "tests/pods/containerd_fixture.h"

namespace harness {
namespace {

namespace wire = ocirt::wire;
using ocirt::cat;

class CriSandbox : public ContainerdShim {
 protected:
  void SetUp() override {
    ContainerdShim::SetUp();
    path_ = scratch() + "/run/plugin/test/pod";
    make_directories(path_);
    work_ = scratch() + "/var/plugin/test/pod";
    make_directories(work_);
    ASSERT_EQ(::symlink(work_.c_str(), (path_ + "/work").c_str()), 0);
    address_ = start("pod", path_);
  }
  void TearDown() override {
    if (shim_at(address_) != 0) {
      try {
        (void)sandbox<wire::ShutdownSandboxResponse, wire::ShutdownSandboxRequest>(
            "ShutdownSandbox");
      } catch (const std::exception&) {
        // The test has told it to end, and in this moment it has.
      }
    }
    ContainerdShim::TearDown();
  }
  std::string files() const { return scratch() + "/var/io.containerd.grpc.v1.cri/sandboxes/pod"; }
  std::string shared_memory() const {
    return scratch() + "/run/io.containerd.grpc.v1.cri/sandboxes/pod/shm";
  }
  // Text of the error, or "".
  template <wire::Message Response, wire::Message Request>
  std::string sandbox(const char* method, const std::string& id = "pod") {
    auto request = wire::blank<Request>();
    request.sandbox_id = wire::lend(id);
    auto answer = client(address_).call<Response>(wire::kSandboxV1, method, request,
                                                  std::chrono::seconds(60));
    return answer ? "" : answer.error().text;
  }
  std::string create_sandbox(int pids = 1, const std::string& sysctl = "") {
    auto namespaces = wire::blank<wire::PodNamespaces>();
    namespaces.pid = pids;
    auto security = wire::blank<wire::PodSecurityContext>();
    security.namespace_options = &namespaces;
    auto own = wire::blank<wire::PodLinuxConfig>();
    own.security_context = &security;
    wire::Rows<wire::PodSysctl> sysctls;
    if (!sysctl.empty()) {
      wire::PodSysctl& row = sysctls.add();
      row.key = wire::lend(sysctl);
      row.value = wire::lend("1");
    }
    own.n_sysctls = sysctls.size();
    own.sysctls = sysctls.lend();
    auto config = wire::blank<wire::PodSandboxConfig>();
    config.hostname = wire::lend("box");
    config.linux_config = &own;
    const wire::AnyValue value = wire::any_of(config);
    wire::Any any = value.lend();
    auto request = wire::blank<wire::CreateSandboxRequest>();
    request.sandbox_id = wire::lend("pod");
    request.options = &any;
    auto answer = client(address_).call<wire::CreateSandboxResponse>(
        wire::kSandboxV1, "CreateSandbox", request, std::chrono::seconds(60));
    return answer ? "" : answer.error().text;
  }
  pid_t start_sandbox() {
    auto request = wire::blank<wire::StartSandboxRequest>();
    request.sandbox_id = wire::lend("pod");
    auto answer = client(address_).call<wire::StartSandboxResponse>(
        wire::kSandboxV1, "StartSandbox", request, std::chrono::seconds(60));
    return answer ? static_cast<pid_t>((*answer)->pid) : 0;
  }
  std::string state() {
    auto request = wire::blank<wire::SandboxStatusRequest>();
    request.sandbox_id = wire::lend("pod");
    auto answer = client(address_).call<wire::SandboxStatusResponse>(
        wire::kSandboxV1, "SandboxStatus", request, std::chrono::seconds(60));
    return answer ? (*answer)->state : answer.error().text;
  }
  std::string stop_sandbox() {
    return sandbox<wire::StopSandboxResponse, wire::StopSandboxRequest>("StopSandbox");
  }
  std::string shut_down() {
    return sandbox<wire::ShutdownSandboxResponse, wire::ShutdownSandboxRequest>("ShutdownSandbox");
  }

  std::string path_, work_, address_;
};

TEST_F(CriSandbox, HoldsNamespacesWithoutAProcess) {
  ASSERT_EQ(create_sandbox(), "");
  const pid_t shim = shim_at(address_);
  const pid_t id = start_sandbox();
  ASSERT_GT(id, 0);
  EXPECT_TRUE(exists(cat("/proc/", shim, "/task/", id))) << "a thread of the shim";
  EXPECT_EQ(read_file(cat("/proc/", shim, "/task/", shim, "/children")), "");
  const std::string ipc = link_target(cat("/proc/", id, "/ns/ipc"));
  EXPECT_NE(ipc, link_target(cat("/proc/", shim, "/ns/ipc")));
  EXPECT_EQ(read_file(files() + "/hostname"), "box\n");
  EXPECT_EQ(read_file(files() + "/hosts"), read_file("/etc/hosts"));
  EXPECT_EQ(mount_at(parse_mountinfo(own_mounts()), shared_memory()).type, "tmpfs");
  EXPECT_EQ(state(), "SANDBOX_READY");

  EXPECT_EQ(stop_sandbox(), "");
  EXPECT_EQ(state(), "SANDBOX_NOTREADY");
  EXPECT_FALSE(exists(cat("/proc/", id))) << "the namespaces are let go";
  EXPECT_EQ((sandbox<wire::WaitSandboxResponse, wire::WaitSandboxRequest>("WaitSandbox")), "");
  EXPECT_EQ(shut_down(), "");
  EXPECT_TRUE(eventually([&] { return shim_at(address_) == 0; }));
  EXPECT_FALSE(exists(files()));
  EXPECT_FALSE(exists(shared_memory()));
}

TEST_F(CriSandbox, SharedPidsTakeAFirstProcess) {
  ASSERT_EQ(create_sandbox(0), "");
  const pid_t shim = shim_at(address_);
  const pid_t first = start_sandbox();
  EXPECT_EQ(trim(read_file(cat("/proc/", shim, "/task/", shim, "/children"))),
            std::to_string(first));
  EXPECT_EQ(names_in(cat("/proc/", shim, "/task")).size(), 1U) << "and no thread";
  EXPECT_NE(link_target(cat("/proc/", first, "/ns/ipc")),
            link_target(cat("/proc/", shim, "/ns/ipc")));
  EXPECT_EQ(stop_sandbox(), "");
  EXPECT_TRUE(eventually([&] { return !exists(cat("/proc/", first)); }));
  EXPECT_EQ(shut_down(), "");
}

TEST_F(CriSandbox, StopOfAFirstProcessThatDoesNotEndIsNoSuccessTheSecondTimeEither) {
  ASSERT_EQ(create_sandbox(0), "");
  const pid_t first = start_sandbox();
  const std::string record = path_ + "/first-process";
  const std::string said = read_file(record);
  write_file(record, "damaged");
  EXPECT_SAYS(stop_sandbox(), "is damaged");
  EXPECT_SAYS(stop_sandbox(), "is damaged");
  EXPECT_SAYS(shut_down(), "is damaged");
  EXPECT_TRUE(exists(cat("/proc/", first)));
  write_file(record, said);
  EXPECT_EQ(stop_sandbox(), "");
  EXPECT_TRUE(eventually([&] { return !exists(cat("/proc/", first)); }));
  EXPECT_EQ(shut_down(), "");
}

TEST_F(CriSandbox, ShutdownOfTasksDoesNotEndIt) {
  ASSERT_EQ(create_sandbox(), "");
  EXPECT_EQ(shutdown(address_), "");
  EXPECT_EQ(state(), "SANDBOX_READY");
  EXPECT_EQ(shut_down(), "");
  EXPECT_TRUE(eventually([&] { return shim_at(address_) == 0; }));
}

TEST_F(CriSandbox, StaysWhileItHasContainers) {
  ASSERT_EQ(create_sandbox(), "");
  const std::string bundle_path = bundle_of("app", "pod");
  ASSERT_EQ(create(address_, "app", bundle_path), "");
  EXPECT_SAYS(shut_down(), "sandbox pod has the container app still");
  EXPECT_EQ(remove(address_, "app"), "");
  EXPECT_EQ(shut_down(), "");
}

TEST_F(CriSandbox, MakesItsFilesAgainWhenTheyWereTakenAway) {
  ASSERT_EQ(create_sandbox(), "");
  write_file(shared_memory() + "/kept", "word");
  ASSERT_EQ(::umount2(shared_memory().c_str(), 0), 0);
  remove_tree(files());
  remove_tree(scratch() + "/run/io.containerd.grpc.v1.cri");
  EXPECT_EQ(state(), "SANDBOX_READY");
  EXPECT_EQ(read_file(files() + "/hostname"), "box\n");
  EXPECT_EQ(read_file(shared_memory() + "/kept"), "word");
}

TEST_F(CriSandbox, WhatFailsIsUndoneAndTheShimEnds) {
  EXPECT_SAYS(create_sandbox(1, "kernel.panic"), "sysctls: sysctl \"kernel.panic\"");
  EXPECT_TRUE(eventually([&] { return shim_at(address_) == 0; }));
  EXPECT_FALSE(exists(files()));
  EXPECT_FALSE(exists(shared_memory()));
}

TEST_F(CriSandbox, DeleteOfOneWhoseShimWasKilledTakesItsContainersToo) {
  ASSERT_EQ(create_sandbox(0), "");
  const pid_t first = start_sandbox();
  ASSERT_EQ(create(address_, "app", bundle_of("app", "pod")), "");
  const pid_t shim = shim_at(address_);
  ::kill(shim, SIGKILL);
  ASSERT_TRUE(wait_for_end(shim));
  EXPECT_OK(run_command(command("pod", path_, "delete")));
  reap_orphans();
  EXPECT_FALSE(exists(cat("/proc/", first)));
  EXPECT_FALSE(exists(files()));
  EXPECT_FALSE(exists(shared_memory()));
  EXPECT_EQ(names_in(root_ + "/test"), std::vector<std::string>());
}

TEST_F(CriSandbox, SigtermTakesItAway) {
  ASSERT_EQ(create_sandbox(), "");
  ::kill(shim_at(address_), SIGTERM);
  EXPECT_TRUE(eventually([&] { return shim_at(address_) == 0; }));
  EXPECT_FALSE(exists(files()));
  EXPECT_FALSE(exists(shared_memory()));
}

TEST_F(CriSandbox, OthersAreNotKnown) {
  EXPECT_SAYS((sandbox<wire::PingResponse, wire::PingRequest>("PingSandbox")), "not found");
  ASSERT_EQ(create_sandbox(), "");
  EXPECT_SAYS(create_sandbox(), "is there already");
  EXPECT_SAYS((sandbox<wire::PingResponse, wire::PingRequest>("PingSandbox", "x")), "not found");
  EXPECT_EQ((sandbox<wire::PingResponse, wire::PingRequest>("PingSandbox")), "");
}

}  // namespace
}  // namespace harness
