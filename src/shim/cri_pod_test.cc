#include "src/shim/cri_pod.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/wire/any.h"

namespace ocirt::shim {
namespace {

using ::testing::HasSubstr;
using ::testing::Pair;

struct Asked {
  wire::PodUserNamespace user = wire::blank<wire::PodUserNamespace>();
  wire::PodNamespaces namespaces = wire::blank<wire::PodNamespaces>();
  wire::PodSecurityContext security = wire::blank<wire::PodSecurityContext>();
  wire::PodLinuxConfig own = wire::blank<wire::PodLinuxConfig>();
  wire::PodSandboxConfig config = wire::blank<wire::PodSandboxConfig>();
  std::string type = std::string(wire::kTypeUrl<wire::PodSandboxConfig>);
  std::string netns = "/run/netns/cni-1";

  Asked() {
    config.hostname = wire::lend("box");
    config.linux_config = &own;
    own.cgroup_parent = wire::lend("/kubepods/pod1");
    own.security_context = &security;
    security.namespace_options = &namespaces;
    namespaces.pid = 1;
  }
  Result<CriPod> read() {
    const std::string bytes = wire::pack(config);
    const wire::AnyValue value{type, bytes};
    wire::Any any = value.lend();
    auto request = wire::blank<wire::CreateSandboxRequest>();
    request.netns_path = wire::lend(netns);
    request.options = &any;
    return read_cri_pod(request);
  }
};

TEST(CriPod, HasNamespacesOfItsOwnUnlessItSaysOtherwise) {
  Asked asked;
  Result<CriPod> pod = asked.read();
  ASSERT_TRUE(pod);
  EXPECT_EQ(pod->hostname, "box");
  EXPECT_EQ(pod->netns, "/run/netns/cni-1");
  EXPECT_EQ(pod->cgroup_parent, "/kubepods/pod1");
  EXPECT_TRUE(pod->own_uts());
  EXPECT_FALSE(pod->host_ipc);
  EXPECT_FALSE(pod->share_pid);
  asked.namespaces.pid = 0;
  asked.namespaces.ipc = 2;
  asked.netns = "";
  pod = asked.read();
  ASSERT_TRUE(pod);
  EXPECT_TRUE(pod->share_pid);
  EXPECT_TRUE(pod->host_ipc);
  EXPECT_FALSE(pod->own_uts());  // as containerd's containers have it in the host's network
}

TEST(CriPod, ItsNameServersAreWrittenAsContainerdWritesThem) {
  Asked asked;
  auto dns = wire::blank<wire::DnsConfig>();
  std::string texts[] = {"10.0.0.10", "10.0.0.11", "svc.local", "local", "ndots:5", "rotate"};
  char* words[6] = {};
  for (int i = 0; i < 6; ++i) words[i] = texts[i].data();
  asked.config.dns_config = &dns;
  EXPECT_EQ(asked.read()->resolv_conf, "");  // the host's
  dns.servers = words;
  dns.searches = words + 2;
  dns.options = words + 4;
  dns.n_servers = dns.n_searches = dns.n_options = 2;
  EXPECT_EQ(asked.read()->resolv_conf,
            "search svc.local local\nnameserver 10.0.0.10\nnameserver 10.0.0.11\noptions ndots:5 "
            "rotate\n");
}

TEST(CriPod, AUserNamespaceIsRefused) {
  Asked asked;
  asked.namespaces.userns_options = &asked.user;
  asked.user.mode = 2;  // the host's, which kubelets say
  EXPECT_TRUE(asked.read());
  asked.user.mode = 0;
  EXPECT_THAT(asked.read().error().text,
              HasSubstr("not supported: a pod with a user namespace of its own"));
}

TEST(CriPod, OtherOptionsAreRefused) {
  Asked asked;
  asked.type = "runtime.v1.ContainerConfig";
  EXPECT_THAT(asked.read().error().text,
              HasSubstr("not supported: options of a sandbox of type runtime.v1.ContainerConfig"));
}

TEST(CriPod, PlacesAreWhereContainerdLooks) {
  const Result<CriPlaces> places =
      cri_places("/run/containerd/io.containerd.runtime.v2.task/k8s.io/5a9d",
                 "/var/lib/containerd/io.containerd.runtime.v2.task/k8s.io/5a9d");
  ASSERT_TRUE(places);
  EXPECT_EQ(places->files, "/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/5a9d");
  EXPECT_EQ(places->shared_memory, "/run/containerd/io.containerd.grpc.v1.cri/sandboxes/5a9d/shm");
  EXPECT_FALSE(cri_places("/a/b", "/c/d/e/f"));
  EXPECT_FALSE(cri_places("/a/b/c/d", "d"));
}

}  // namespace
}  // namespace ocirt::shim
