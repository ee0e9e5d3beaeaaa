// A shim that containerd has started for a sandbox (`sandboxer = "shim"`), and its Sandbox service.
#pragma once

#include "oci-spec/mounts.h"
#include "tests/pods/containerd_fixture.h"

namespace harness {

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
  struct Asked {
    int network = 0, pids = 1;
    std::string sysctl = {}, netns = {};  // the sysctl becomes 1
    // Of a user namespace, for users and groups; none: the host's.
    std::vector<oci::IdMapping> ids = {};
  };
  std::string create_sandbox() { return create_sandbox(Asked{}); }
  std::string create_sandbox(const Asked& asked) {
    wire::Rows<wire::PodIdMapping> rows;
    for (const oci::IdMapping& mapping : asked.ids) {
      wire::PodIdMapping& row = rows.add();
      row.container_id = mapping.container_id;
      row.host_id = mapping.host_id;
      row.length = mapping.size;
    }
    auto users = wire::blank<wire::PodUserNamespace>();
    users.n_uids = users.n_gids = rows.size();
    users.uids = users.gids = rows.lend();
    auto namespaces = wire::blank<wire::PodNamespaces>();
    namespaces.network = asked.network;
    namespaces.pid = asked.pids;
    if (!asked.ids.empty()) namespaces.userns_options = &users;
    auto security = wire::blank<wire::PodSecurityContext>();
    security.namespace_options = &namespaces;
    auto own = wire::blank<wire::PodLinuxConfig>();
    own.security_context = &security;
    wire::Rows<wire::PodSysctl> sysctls;
    if (!asked.sysctl.empty()) {
      wire::PodSysctl& row = sysctls.add();
      row.key = wire::lend(asked.sysctl);
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
    request.netns_path = wire::lend(asked.netns);
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

}  // namespace harness
