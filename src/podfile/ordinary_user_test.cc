#include "src/podfile/ordinary_user.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "oci-spec/documents.h"

namespace ocirt::podfile {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class OrdinaryPod : public testing::Test {
 protected:
  OrdinaryPod() {
    pod.name = "web";
    container.name = "a";
    spec = oci::default_spec(false);
    spec.linux->resources.reset();
  }
  std::string pod_refused() {
    const Result<> done = adapt_pod(pod, layout, user);
    return done ? "" : done.error().text;
  }
  std::string container_refused() {
    const Result<> done = adapt_container(spec, pod_spec, container, pod, user);
    return done ? "" : done.error().text;
  }
  const oci::Mount* mount_at(std::string_view destination) {
    const auto found = std::ranges::find(spec.mounts, destination, &oci::Mount::destination);
    return found == spec.mounts.end() ? nullptr : &*found;
  }

  pod::Layout layout{"/run/user/7/ocirt/pods", "web", "/home/state"};
  pod::Pod pod;
  manifest::PodSpec pod_spec;
  manifest::Container container;
  oci::Spec spec;
  OrdinaryUser user{.users = 1001, .groups = 1001, .cgroup_parent = "/mine"};
};

TEST_F(OrdinaryPod, TheBridgeBecomesPastaWithANamespaceInThePodsDirectory) {
  EXPECT_EQ(pod_refused(), "");
  EXPECT_EQ(pod.network.mode, pod::NetworkMode::kUser);
  EXPECT_EQ(pod.netns(), "/run/user/7/ocirt/pods/web/ns/net");
  EXPECT_EQ(pod.cgroup, "/mine/web");
  spec.linux->namespaces = {{.type = oci::NamespaceType::kNetwork, .path = "/run/netns/ocirt-web"}};
  EXPECT_EQ(container_refused(), "");
  EXPECT_EQ(spec.linux->namespaces[0].path, pod.netns());
  EXPECT_EQ(spec.linux->cgroups_path, "/mine/web/a");
}

TEST_F(OrdinaryPod, TheHostsNetworkHasNoNamespaceAndNoSysctls) {
  pod.network.mode = pod::NetworkMode::kHost;
  EXPECT_EQ(pod_refused(), "");
  EXPECT_EQ(pod.netns(), "");
  pod.sysctls.set("kernel.shm_rmid_forced", "1");
  EXPECT_EQ(pod_refused(), "");
  pod.sysctls.set("net.core.somaxconn", "1");
  EXPECT_THAT(pod_refused(), HasSubstr("net.core.somaxconn"));
}

TEST_F(OrdinaryPod, PluginsAreRefused) {
  pod.network.mode = pod::NetworkMode::kCni;
  EXPECT_THAT(pod_refused(), HasSubstr("not supported: CNI plugins for an ordinary user"));
}

TEST_F(OrdinaryPod, WithoutACgroupThereAreNoLimits) {
  user.cgroup_parent.clear();
  EXPECT_EQ(pod_refused(), "");
  EXPECT_EQ(pod.cgroup, "");
  spec.linux->resources.emplace().devices = {{.allow = false, .access = "rwm"}};
  EXPECT_EQ(container_refused(), "");
  EXPECT_FALSE(spec.linux->resources);
  EXPECT_FALSE(spec.linux->cgroups_path);
  container.resources.emplace().limits.set("memory", "10Mi");
  EXPECT_THAT(container_refused(), HasSubstr("resources: not supported: limits and weights take"));
  pod.resources.emplace();
  EXPECT_THAT(pod_refused(), HasSubstr("resources: not supported"));
}

TEST_F(OrdinaryPod, IdsThatAreNotThePodsAreRefused) {
  spec.process->user = {.uid = 1000, .gid = 1000};
  EXPECT_EQ(container_refused(), "");
  spec.process->user.uid = 1001;
  EXPECT_THAT(container_refused(), HasSubstr("runAsUser: 1001 is none of the 1001 ids"));
  spec.process->user = {.uid = 0, .gid = 1001};
  EXPECT_THAT(container_refused(), HasSubstr("runAsGroup: 1001"));
  user.users = user.groups = 1;
  spec.process->user = {.uid = 0, .gid = 0};
  EXPECT_EQ(container_refused(), "");
  spec.process->user.additional_gids = {0};
  EXPECT_EQ(container_refused(), "");
  EXPECT_TRUE(spec.process->user.additional_gids.empty()) << "it could not be set";
  spec.process->user.additional_gids = {0, 7};
  EXPECT_THAT(container_refused(), HasSubstr("supplementalGroups: 7 is none"));
}

TEST_F(OrdinaryPod, TerminalsBelongToGroupFiveWhereThereIsOne) {
  EXPECT_EQ(container_refused(), "");
  EXPECT_THAT(mount_at("/dev/pts")->options, Contains("gid=5"));
  user.groups = 1;
  EXPECT_EQ(container_refused(), "");
  EXPECT_THAT(mount_at("/dev/pts")->options, Not(Contains("gid=5")));
}

TEST_F(OrdinaryPod, WhatIsTheHostsIsBound) {
  pod_spec.host_pid = true;
  EXPECT_EQ(container_refused(), "");
  EXPECT_EQ(mount_at("/proc")->type, "bind");
  EXPECT_EQ(mount_at("/proc")->source, "/proc");
  EXPECT_EQ(mount_at("/dev/mqueue")->type, "mqueue");
}

TEST_F(OrdinaryPod, ItsMountsAreNotTheHosts) {
  container.volume_mounts.push_back({.name = "v", .mount_path = "/v"});
  EXPECT_EQ(container_refused(), "");
  container.volume_mounts[0].mount_propagation = manifest::Propagation::kBidirectional;
  EXPECT_THAT(container_refused(), HasSubstr("mountPropagation Bidirectional"));
}

}  // namespace
}  // namespace ocirt::podfile
