#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "oci-spec/documents.h"

namespace oci {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

std::vector<NamespaceType> types(const Spec& spec) {
  std::vector<NamespaceType> types;
  for (const Namespace& entry : spec.linux->namespaces) types.push_back(entry.type);
  return types;
}

TEST(Template, StartsAShellOnAReadOnlyRoot) {
  const Spec spec = default_spec(false);
  EXPECT_EQ(spec.oci_version, "1.3.0");
  EXPECT_THAT(spec.process->args, ElementsAre("sh"));
  EXPECT_EQ(spec.process->terminal, true);
  EXPECT_EQ(spec.process->cwd, "/");
  EXPECT_EQ(spec.process->no_new_privileges, true);
  EXPECT_EQ(spec.root->path, "rootfs");
  EXPECT_EQ(spec.root->readonly, true);
  EXPECT_EQ(spec.hostname, "ocirt");
}

TEST(Template, GivesThreeCapabilitiesAndNoneToInheritOrAmbient) {
  const Spec spec = default_spec(false);
  const Capabilities& sets = *spec.process->capabilities;
  for (const auto* set : {&sets.bounding, &sets.effective, &sets.permitted}) {
    EXPECT_THAT(*set, ElementsAre("CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"));
  }
  EXPECT_THAT(sets.inheritable, IsEmpty());
  EXPECT_THAT(sets.ambient, IsEmpty());
}

TEST(Template, HasSevenMountsAndSixNamespaces) {
  const Spec spec = default_spec(false);
  std::vector<std::string> destinations;
  for (const Mount& mount : spec.mounts) destinations.push_back(mount.destination);
  EXPECT_THAT(destinations, ElementsAre("/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue",
                                        "/sys", "/sys/fs/cgroup"));
  using enum NamespaceType;
  EXPECT_THAT(types(spec), ElementsAre(kPid, kNetwork, kIpc, kUts, kMount, kCgroup));
  EXPECT_THAT(spec.linux->resources->devices,
              ElementsAre(DeviceCgroup{.allow = false, .access = "rwm"}));
  EXPECT_THAT(spec.linux->masked_paths, Contains("/proc/kcore"));
  EXPECT_THAT(spec.linux->readonly_paths, Contains("/proc/sys"));
  EXPECT_THAT(spec.mounts[2].options, Contains("gid=5"));
}

TEST(Template, HasNoCgroupNamespaceOnCgroupV1) {
  EXPECT_THAT(types(default_spec(false, 0, 0, true)), Not(Contains(NamespaceType::kCgroup)));
}

TEST(Template, RootlessNeedsNothingThatAnOrdinaryUserMayNotDo) {
  const Spec spec = default_spec(true, 1000, 100);
  using enum NamespaceType;
  EXPECT_THAT(types(spec), Contains(kUser));
  EXPECT_THAT(types(spec), Not(Contains(kNetwork)));
  EXPECT_THAT(spec.linux->uid_mappings, ElementsAre(IdMapping{0, 1000, 1}));
  EXPECT_THAT(spec.linux->gid_mappings, ElementsAre(IdMapping{0, 100, 1}));
  EXPECT_FALSE(spec.linux->resources);
  for (const Mount& mount : spec.mounts) {
    EXPECT_THAT(mount.options, Not(Contains(StartsWith("gid="))));
    if (mount.destination != "/sys") continue;
    EXPECT_EQ(mount.source, "/sys");
    EXPECT_THAT(mount.options, Contains("rbind"));
  }
}

TEST(Template, IsReadBackAsItIs) {
  for (const bool rootless : {false, true}) {
    const Spec spec = default_spec(rootless, 1000, 1000);
    const auto again = read_config(write(spec, true));
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_EQ(*again, spec);
  }
}

}  // namespace
}  // namespace oci
