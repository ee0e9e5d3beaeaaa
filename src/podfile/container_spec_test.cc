#include "src/podfile/container_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "oci-spec/documents.h"
#include "src/podfile/default_profiles.h"

namespace ocirt::podfile {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;
using testing::UnorderedElementsAre;

class ContainerSpec : public testing::Test {
 protected:
  // `spec` and `container` are YAML in flow style, put into a pod.
  Result<oci::Spec> make(std::string_view container, std::string_view spec = "") {
    const std::string text =
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  " + std::string(spec) +
        "\n  containers:\n  - {name: c, image: 'rootfs:/r', " + std::string(container) + "}\n";
    auto file = read_pod_file(text, "f", {});
    if (!file) {
      ADD_FAILURE() << file.error().message();
      return refuse("unreadable");
    }
    file_ = *std::move(file);
    image.passwd = "root:x:0:0::/root:\nweb:x:33:33::/:\n";
    image.group = "log:x:50:web\n";
    return container_spec({.file = file_,
                           .index = 0,
                           .image = image,
                           .layout = layout_,
                           .uid = "u",
                           .hostname = "web",
                           .machine = machine});
  }
  oci::Spec good(std::string_view container, std::string_view spec = "") {
    Result<oci::Spec> made = make(container, spec);
    EXPECT_TRUE(made) << made.error().text;
    if (!made) return oci::default_spec(false);
    EXPECT_EQ(oci::validate(*made), std::nullopt);
    return *std::move(made);
  }
  static const oci::Mount* mount_at(const oci::Spec& spec, std::string_view destination) {
    const auto found = std::ranges::find(spec.mounts, destination, &oci::Mount::destination);
    return found == spec.mounts.end() ? nullptr : &*found;
  }

  ImageFacts image;
  Machine machine = {.memory = uint64_t{10} << 30};

 private:
  File file_;
  pod::Layout layout_{"/pods", "web", "/state"};
};

TEST_F(ContainerSpec, CommandReplacesTheEntryPointAndForgetsItsArguments) {
  image.entrypoint = {"/entry", "-x"};
  image.command = {"default"};
  EXPECT_THAT(good("tty: false").process->args, ElementsAre("/entry", "-x", "default"));
  EXPECT_THAT(good("args: [a]").process->args, ElementsAre("/entry", "-x", "a"));
  EXPECT_THAT(good("command: [/c]").process->args, ElementsAre("/c"));
  EXPECT_THAT(good("command: [/c], args: [a]").process->args, ElementsAre("/c", "a"));
}

TEST_F(ContainerSpec, WithoutAnyCommandThereIsNothingToRun) {
  EXPECT_EQ(make("tty: false").error().text, "command: missing, and the image has none");
}

TEST_F(ContainerSpec, VariablesAreExpandedInCommandsFromTheEnvironmentOfThePodFile) {
  image.environment = {"PATH=/image", "FROM_IMAGE=1"};
  const oci::Spec spec = good("command: [/c, '$(A)', '$(FROM_IMAGE)'], env: [{name: A, value: x}]");
  EXPECT_THAT(spec.process->args, ElementsAre("/c", "x", "$(FROM_IMAGE)"));
  EXPECT_THAT(spec.process->env,
              UnorderedElementsAre("PATH=/image", "FROM_IMAGE=1", "HOSTNAME=web", "A=x"));
}

TEST_F(ContainerSpec, NamespacesAreThePodsButForMountsProcessesAndCgroup) {
  const oci::Spec spec = good("command: [/c]");
  oci::Map<std::string> paths;
  for (const oci::Namespace& ns : spec.linux->namespaces) {
    paths.set(oci::to_string(ns.type), ns.path.value_or(""));
  }
  EXPECT_EQ(*paths.find("network"), "/run/netns/ocirt-web");
  EXPECT_EQ(*paths.find("ipc"), "/pods/web/ns/ipc");
  EXPECT_EQ(*paths.find("uts"), "/pods/web/ns/uts");
  EXPECT_EQ(*paths.find("pid"), "");
  EXPECT_EQ(*paths.find("mount"), "");
  EXPECT_EQ(*paths.find("cgroup"), "");
  EXPECT_EQ(spec.linux->cgroups_path, "/ocirt/web/c");
  EXPECT_EQ(spec.hostname, std::nullopt);
}

TEST_F(ContainerSpec, TheHostsNamespacesAreJoinedByNamingNone) {
  const oci::Spec spec =
      good("command: [/c]", "hostNetwork: true\n  hostPID: true\n  hostIPC: true");
  for (const oci::Namespace& ns : spec.linux->namespaces) {
    EXPECT_TRUE(ns.type == oci::NamespaceType::kMount || ns.type == oci::NamespaceType::kCgroup);
  }
  EXPECT_EQ(mount_at(spec, "/dev/shm")->source, "/dev/shm");
}

TEST_F(ContainerSpec, ASharedProcessNamespaceIsThePodsPin) {
  const oci::Spec spec = good("command: [/c]", "shareProcessNamespace: true");
  EXPECT_THAT(spec.linux->namespaces, Contains(oci::Namespace{.type = oci::NamespaceType::kPid,
                                                              .path = "/pods/web/ns/pid"}));
}

TEST_F(ContainerSpec, UsersComeFromImagePodAndContainerInThisOrder) {
  image.user = "web";
  EXPECT_EQ(good("command: [/c]").process->user.uid, 33U);
  const oci::Spec of_pod =
      good("command: [/c]", "securityContext: {runAsUser: 7, fsGroup: 9, supplementalGroups: [8]}");
  EXPECT_EQ(of_pod.process->user.uid, 7U);
  EXPECT_THAT(of_pod.process->user.additional_gids, ElementsAre(0, 8, 9));
  const oci::Spec own = good("command: [/c], securityContext: {runAsUser: 33, runAsGroup: 5}",
                             "securityContext: {runAsUser: 7}");
  EXPECT_EQ(own.process->user.uid, 33U);
  EXPECT_EQ(own.process->user.gid, 5U);
  EXPECT_THAT(own.process->user.additional_gids, ElementsAre(5, 50));
}

TEST_F(ContainerSpec, AUserThatIsNoneIsRefusedWithWhereItIsFrom) {
  image.user = "1000:4294967295";
  EXPECT_EQ(
      make("command: [/c]").error().text,
      "securityContext: the image's user \"1000:4294967295\": group \"4294967295\": the number is "
      "too large; runAsUser sets another one");
  EXPECT_TRUE(make("command: [/c], securityContext: {runAsUser: 1000}"));
  EXPECT_TRUE(make("command: [/c]", "securityContext: {runAsUser: 1000}"));
  image.bundle = oci::default_spec(false);
  image.rootfs = "/r";
  image.bundle->process->user.additional_gids = {UINT32_MAX};
  EXPECT_EQ(
      make("command: [/c]").error().text,
      "securityContext: process.user of the bundle's config.json: 4294967295 is no id; runAsUser "
      "sets another one");
  EXPECT_TRUE(make("command: [/c], securityContext: {runAsUser: 1000}"));
}

TEST_F(ContainerSpec, RootIsRefusedWhereItIsForbidden) {
  EXPECT_EQ(
      make("command: [/c], securityContext: {runAsNonRoot: true}").error().text,
      "securityContext: runAsNonRoot: is true, but the user is 0; runAsUser sets another one");
  image.user = "web";
  EXPECT_TRUE(make("command: [/c], securityContext: {runAsNonRoot: true}"));
}

TEST_F(ContainerSpec, CapabilitiesAreDroppedBeforeOthersAreAdded) {
  EXPECT_EQ(good("command: [/c]").process->capabilities->bounding.size(), 14U);
  const oci::Spec spec = good(
      "command: [/c], securityContext: {capabilities: {drop: [ALL], add: [NET_ADMIN, CAP_KILL]}}");
  for (const auto& set :
       {spec.process->capabilities->bounding, spec.process->capabilities->effective,
        spec.process->capabilities->permitted}) {
    EXPECT_THAT(set, UnorderedElementsAre("CAP_KILL", "CAP_NET_ADMIN"));
  }
  EXPECT_TRUE(spec.process->capabilities->inheritable.empty());
  EXPECT_THAT(good("command: [/c], securityContext: {capabilities: {drop: [KILL]}}")
                  .process->capabilities->bounding,
              Not(Contains("CAP_KILL")));
}

TEST_F(ContainerSpec, SeccompIsTheDefaultProfileUnlessItIsSaidOtherwise) {
  EXPECT_TRUE(good("command: [/c]").linux->seccomp);
  EXPECT_FALSE(
      good("command: [/c], securityContext: {seccompProfile: {type: Unconfined}}").linux->seccomp);
  EXPECT_FALSE(good("command: [/c]", "securityContext: {seccompProfile: {type: Unconfined}}")
                   .linux->seccomp);
  EXPECT_FALSE(good("command: [/c], securityContext: {privileged: true}").linux->seccomp);
}

TEST_F(ContainerSpec, LimitsBecomeThoseOfCgroups) {
  const oci::Spec spec = good(
      "command: [/c], resources: {limits: {cpu: 500m, memory: 64Mi, hugepages-2Mi: 4Mi}, requests: "
      "{cpu: 250m, memory: 1Mi}}");
  const oci::Resources& resources = *spec.linux->resources;
  EXPECT_EQ(resources.cpu->quota, 50'000);
  EXPECT_EQ(resources.cpu->period, 100'000U);
  EXPECT_EQ(resources.cpu->shares, 256U);
  EXPECT_EQ(resources.memory->limit, 64 << 20);
  EXPECT_EQ(resources.memory->reservation, std::nullopt);
  EXPECT_EQ(resources.hugepage_limits[0].page_size, "2MB");
  EXPECT_FALSE(resources.devices.empty());
}

TEST_F(ContainerSpec, WhatIsLimitedInMemoryIsNotSwappedWhereTheMachineCanSeeToThat) {
  constexpr std::string_view kLimited = "command: [/c], resources: {limits: {memory: 64Mi}}";
  EXPECT_EQ(good(kLimited).linux->resources->memory->swap, std::nullopt);
  machine.limits_swap = true;
  EXPECT_EQ(good(kLimited).linux->resources->memory->swap, 64 << 20);
  EXPECT_EQ(good("command: [/c]").linux->resources->memory, std::nullopt);
}

TEST_F(ContainerSpec, WhoMayNotLowerTheOomScoreLeavesItAsItIs) {
  constexpr std::string_view kGuaranteed =
      "command: [/c], resources: {limits: {memory: 64Mi, cpu: 1}}";
  constexpr std::string_view kBurstable = "command: [/c], resources: {requests: {memory: 9Gi}}";
  EXPECT_EQ(good(kGuaranteed).process->oom_score_adj, -997);
  EXPECT_EQ(good(kBurstable).process->oom_score_adj, 100);
  EXPECT_EQ(good("command: [/c]").process->oom_score_adj, 1000);
  machine.least_oom_score = 100;
  EXPECT_EQ(good(kGuaranteed).process->oom_score_adj, std::nullopt);
  EXPECT_EQ(good(kBurstable).process->oom_score_adj, std::nullopt);
  EXPECT_EQ(good("command: [/c]").process->oom_score_adj, 1000);
}

TEST_F(ContainerSpec, ABundleMaySayAnOomScoreOfItsOwn) {
  image.bundle = oci::default_spec(false);
  image.rootfs = "/r";
  EXPECT_EQ(good("command: [/c]").process->oom_score_adj, 1000);
  image.bundle->process->oom_score_adj = 5;
  EXPECT_EQ(good("command: [/c]").process->oom_score_adj, 5);
}

TEST_F(ContainerSpec, DeeperMountsComeAfterThoseThatWouldCoverThem) {
  const oci::Spec spec = good(
      "command: [/c], volumeMounts: [{name: d, mountPath: /a/b/c}, {name: d, mountPath: /a, "
      "readOnly: true}, "
      "{name: d, mountPath: /s, subPath: x/y}, {name: h, mountPath: /h, mountPropagation: "
      "HostToContainer}]",
      "volumes: [{name: d, emptyDir: {}}, {name: h, hostPath: {path: /srv}}]");
  const oci::Mount* shallow = mount_at(spec, "/a");
  const oci::Mount* deep = mount_at(spec, "/a/b/c");
  ASSERT_TRUE(shallow != nullptr && deep != nullptr);
  EXPECT_LT(shallow, deep);
  EXPECT_EQ(shallow->source, "/pods/web/volumes/d");
  EXPECT_THAT(shallow->options, ElementsAre("rbind", "rprivate", "ro"));
  EXPECT_EQ(mount_at(spec, "/s")->source, "/pods/web/subpaths/c/2");
  EXPECT_EQ(mount_at(spec, "/h")->source, "/srv");
  EXPECT_THAT(mount_at(spec, "/h")->options, ElementsAre("rbind", "rslave", "rw"));
}

TEST_F(ContainerSpec, NameFilesAreReadOnlyInAReadOnlyRoot) {
  EXPECT_THAT(mount_at(good("command: [/c]"), "/etc/hosts")->options, Contains("rw"));
  const oci::Spec spec = good("command: [/c], securityContext: {readOnlyRootFilesystem: true}");
  EXPECT_EQ(spec.root->readonly, true);
  EXPECT_THAT(mount_at(spec, "/etc/hosts")->options, Contains("ro"));
}

TEST_F(ContainerSpec, AVolumeMayBeMountedInPlaceOfWhatEveryContainerHas) {
  const oci::Spec spec = good(
      "command: [/c], volumeMounts: [{name: d, mountPath: /dev/shm/}, {name: d, mountPath: "
      "/etc/hosts}]",
      "volumes: [{name: d, emptyDir: {}}]");
  EXPECT_EQ(mount_at(spec, "/dev/shm"), nullptr);
  EXPECT_EQ(mount_at(spec, "/dev/shm/")->source, "/pods/web/volumes/d");
  EXPECT_EQ(std::ranges::count(spec.mounts, std::string("/etc/hosts"), &oci::Mount::destination),
            1);
}

TEST_F(ContainerSpec, AVolumeCoversNothingOfThePodsThatIsMountedBelowIt) {
  const oci::Spec spec = good("command: [/c], volumeMounts: [{name: d, mountPath: /etc}]",
                              "volumes: [{name: d, emptyDir: {}}]");
  EXPECT_LT(mount_at(spec, "/etc"), mount_at(spec, "/etc/hosts"));
  EXPECT_LT(mount_at(spec, "/etc"), mount_at(spec, "/etc/resolv.conf"));
}

TEST_F(ContainerSpec, ABundleKeepsWhatThePodFileDoesNotSpeakOf) {
  oci::Spec bundle = oci::default_spec(false);
  bundle.process->args = {"/bin/server", "--port", "80"};
  bundle.process->user.uid = 12;
  bundle.process->rlimits = {{.type = "RLIMIT_NOFILE", .hard = 5, .soft = 5}};
  image.bundle = bundle;
  image.rootfs = "/bundle/rootfs";
  const oci::Spec spec = good("args: [--quiet]");
  EXPECT_THAT(spec.process->args, ElementsAre("/bin/server", "--quiet"));
  EXPECT_EQ(spec.process->user.uid, 12U);
  EXPECT_EQ(spec.process->rlimits.size(), 1U);
  EXPECT_EQ(spec.root->path, "/bundle/rootfs");
  EXPECT_EQ(spec.linux->seccomp, std::nullopt);
  EXPECT_EQ(spec.process->capabilities->bounding.size(), 3U);
  EXPECT_EQ(spec.process->terminal, false);
  image.bundle->linux->namespaces.push_back({.type = oci::NamespaceType::kUser});
  EXPECT_TRUE(
      make("args: [x]").error().text.contains("not supported: a bundle with a user namespace"));
}

TEST(DefaultSeccomp, CapabilitiesBringTheCallsThatTheyAreFor) {
  const auto allows = [](const oci::Seccomp& profile, std::string_view name) {
    return std::ranges::any_of(profile.syscalls, [&](const oci::Syscall& rule) {
      return rule.action == oci::SeccompAction::kAllow &&
             std::ranges::find(rule.names, name) != rule.names.end();
    });
  };
  const oci::Seccomp plain = default_seccomp({});
  EXPECT_TRUE(allows(plain, "openat"));
  for (const char* name : {"mount", "bpf", "init_module", "reboot", "setns", "unshare", "keyctl",
                           "io_uring_setup", "userfaultfd", "chroot", "clone3"}) {
    EXPECT_FALSE(allows(plain, name)) << name;
  }
  EXPECT_TRUE(allows(default_seccomp({"CAP_SYS_ADMIN"}), "mount"));
  EXPECT_TRUE(allows(default_seccomp({"CAP_SYS_CHROOT"}), "chroot"));
  EXPECT_EQ(plain.default_action, oci::SeccompAction::kErrno);
}

}  // namespace
}  // namespace ocirt::podfile
