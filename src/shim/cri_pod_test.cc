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

TEST(CriPod, AUserNamespaceIsMappedAsTheyAreAsked) {
  Asked asked;
  asked.namespaces.userns_options = &asked.user;
  asked.user.mode = 2;  // the host's, which kubelets say
  EXPECT_FALSE(asked.read()->users);
  auto ids = wire::blank<wire::PodIdMapping>(), more = ids;
  ids.host_id = 100000;
  ids.length = 65536;
  more.container_id = 70000;
  more.host_id = 300000;
  more.length = 1;
  wire::PodIdMapping* both[] = {&ids, &more};
  asked.user.mode = 0;
  asked.user.uids = asked.user.gids = both;
  asked.user.n_uids = 1;
  asked.user.n_gids = 2;
  Result<CriPod> pod = asked.read();
  ASSERT_TRUE(pod) << pod.error().text;
  EXPECT_EQ(pod->users->uid_map, "0 100000 65536\n");
  EXPECT_EQ(pod->users->gid_map, "0 100000 65536\n70000 300000 1\n");
  EXPECT_TRUE(pod->has_process());
  EXPECT_FALSE(pod->makes_network);
  asked.netns = "";
  EXPECT_TRUE(asked.read()->makes_network);
  EXPECT_TRUE(asked.read()->own_uts());
  asked.namespaces.network = 2;
  EXPECT_FALSE(asked.read()->makes_network);
}

TEST(CriPod, AUserNamespaceWithoutARootIsRefused) {
  Asked asked;
  asked.namespaces.userns_options = &asked.user;
  EXPECT_THAT(asked.read().error().text, HasSubstr("userns_options.uids: id 0 is not mapped"));
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
