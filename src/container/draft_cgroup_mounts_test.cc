// What a mount of type cgroup or cgroup2 becomes on hosts with cgroups of version 1, 2 and both.
#include <gmock/gmock.h>
// <sys/mount.h> of glibc has MOUNT_ATTR_*, and clashes with <linux/mount.h>.
#include <sys/mount.h>

#include "src/base/text.h"
#include "src/container/draft_mounts_fixture.h"

namespace ocirt::container {
namespace {

using enum oci::NamespaceType;
using testing::ElementsAre;

using DraftCgroupMounts = DraftMounts;

TEST_F(DraftCgroupMounts, CgroupOfAUnifiedHostIsBoundWithoutACgroupNamespace) {
  for (const char* type : {"cgroup", "cgroup2"}) {
    plan::Mount one = mount({.destination = "/sys/fs/cgroup", .type = type, .options = {"ro"}});
    EXPECT_EQ(one.kind, plan::MountKind::bind);
    EXPECT_EQ(text(one.source), "/sys/fs/cgroup");
    EXPECT_FALSE(one.recursive);
    EXPECT_EQ(one.attr_set, uint64_t{MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
                                     MOUNT_ATTR_RDONLY});
    one = mount({.destination = "/sys/fs/cgroup", .type = type});
    EXPECT_EQ(one.attr_clear, uint64_t{MOUNT_ATTR_RDONLY});
  }
  spec.linux->namespaces.push_back({kCgroup, "/proc/self/ns/cgroup"});  // is to have none
  EXPECT_EQ(mount({.destination = "/cgroup", .type = "cgroup2"}).kind, plan::MountKind::bind);
}

TEST_F(DraftCgroupMounts, Cgroup2HasTheOptionsThatAreNamed) {
  plan::Mount one = mount({.destination = "/cgroup", .type = "cgroup2", .options = {"nsdelegate"}});
  EXPECT_EQ(one.kind, plan::MountKind::filesystem);
  EXPECT_EQ(text(one.data), "nsdelegate");
}

TEST_F(DraftCgroupMounts, CgroupOfAUnifiedHostIsOneFileSystem) {
  spec.linux->namespaces.push_back({kCgroup});
  plan::Mount one = mount({.destination = "/sys/fs/cgroup",
                           .type = "cgroup",
                           .source = "cgroup",
                           .options = {"nosuid", "ro"}});
  EXPECT_EQ(one.kind, plan::MountKind::filesystem);
  EXPECT_EQ(text(one.type), "cgroup2");
  EXPECT_EQ(text(one.source), "cgroup");
  EXPECT_EQ(one.flags, uint64_t{MS_NOSUID | MS_RDONLY});
  EXPECT_FALSE(one.seal_later);
}

class DraftCgroupV1 : public DraftMounts {
 protected:
  DraftCgroupV1() {
    input.cgroup_host = {cgroup::Layout::hybrid,
                         {{"cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct", "/me"},
                          {"memory", "/sys/fs/cgroup/memory", "/me"},
                          {"name=systemd", "/sys/fs/cgroup/systemd", "/user.slice"},
                          {"", "/sys/fs/cgroup/unified", "/me"}}};
    input.cgroup = {cgroup::Layout::hybrid,
                    {{"cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct/pod/c1"},
                     {"memory", "/sys/fs/cgroup/memory/pod/c1"}}};
    spec.linux->namespaces.push_back({kCgroup});
    spec.mounts = {{.destination = "/first", .type = "tmpfs"},
                   {.destination = "/sys/fs/cgroup", .type = "cgroup", .options = {"noexec"}}};
  }
  // Everything that the cgroup mount became, as "kind destination type source data".
  std::vector<std::string> lines() {
    reader_.emplace(read());
    std::vector<std::string> all;
    for (const plan::Mount& one : mounts()) {
      const char* kinds[] = {"mount", "bind", "link"};
      all.push_back(cat(kinds[static_cast<size_t>(one.kind)], " ", text(one.destination), " ",
                        text(one.source)));
      if (one.kind == plan::MountKind::filesystem)
        all.back() += cat(" ", text(one.type), " ", text(one.data));
      EXPECT_EQ(one.index, 1u) << all.back();
    }
    return all;
  }
  std::span<const plan::Mount> mounts() { return reader_->list(reader_->plan().mounts).subspan(1); }
};

TEST_F(DraftCgroupV1, InACgroupNamespaceEveryHierarchyIsMountedAnew) {
  EXPECT_THAT(lines(), ElementsAre("mount /sys/fs/cgroup tmpfs tmpfs mode=755",
                                   "mount /sys/fs/cgroup/cpu,cpuacct cgroup cgroup cpu,cpuacct",
                                   "link /sys/fs/cgroup/cpu cpu,cpuacct",
                                   "link /sys/fs/cgroup/cpuacct cpu,cpuacct",
                                   "mount /sys/fs/cgroup/memory cgroup cgroup memory",
                                   "mount /sys/fs/cgroup/systemd cgroup cgroup none,name=systemd"));
  for (const plan::Mount& one : mounts()) {
    if (one.kind == plan::MountKind::link) continue;
    EXPECT_EQ(one.flags, uint64_t{MS_NOSUID | MS_NODEV | MS_NOEXEC});
    EXPECT_FALSE(one.seal_later);
  }
}

TEST_F(DraftCgroupV1, OfAnOldSystemdHasItsHierarchyOnly) {
  input.annotations.systemd_v1 = "/sys/fs/cgroup/";
  input.systemd_v1 =
      V1ForSystemd{{"name=systemd", "/mnt/v1", "/"}, {"name=systemd", "/mnt/v1/pod/c1"}, true};
  EXPECT_THAT(lines(), ElementsAre("mount /sys/fs/cgroup tmpfs tmpfs mode=755",
                                   "mount /sys/fs/cgroup/systemd cgroup cgroup none,name=systemd"));
  spec.linux->namespaces.pop_back();
  EXPECT_THAT(lines(), ElementsAre("mount /sys/fs/cgroup tmpfs tmpfs mode=755",
                                   "bind /sys/fs/cgroup/systemd /mnt/v1/pod/c1"));
  input.annotations.systemd_v1 = "/elsewhere";
  EXPECT_EQ(refusal(),
            "annotations: run.oci.systemd.force_cgroup_v1: no mount has the destination "
            "/elsewhere");
}

TEST_F(DraftCgroupV1, WithoutACgroupNamespaceTheContainersOwnSubtreesAreBound) {
  spec.linux->namespaces.pop_back();
  EXPECT_THAT(
      lines(),
      ElementsAre("mount /sys/fs/cgroup tmpfs tmpfs mode=755",
                  "bind /sys/fs/cgroup/cpu,cpuacct /sys/fs/cgroup/cpu,cpuacct/pod/c1",
                  "link /sys/fs/cgroup/cpu cpu,cpuacct", "link /sys/fs/cgroup/cpuacct cpu,cpuacct",
                  "bind /sys/fs/cgroup/memory /sys/fs/cgroup/memory/pod/c1",
                  // none was made for the container: the runtime's own
                  "bind /sys/fs/cgroup/systemd /sys/fs/cgroup/systemd/user.slice"));
  EXPECT_EQ(mounts()[1].attr_set,
            uint64_t{MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC});
}

TEST_F(DraftCgroupV1, ReadOnlyTopIsSealedWhenItsDirectoriesAreMade) {
  spec.mounts[1].options = {"ro"};
  lines();
  EXPECT_TRUE(mounts()[0].seal_later);
  EXPECT_TRUE((mounts()[0].flags & MS_RDONLY) != 0);
  EXPECT_TRUE((mounts()[1].flags & MS_RDONLY) != 0);
  EXPECT_FALSE(mounts()[1].seal_later);

  spec.linux->namespaces.pop_back();
  lines();
  EXPECT_TRUE((mounts()[1].attr_set & MOUNT_ATTR_RDONLY) != 0);
}

TEST_F(DraftCgroupV1, LegacyHostIsTheSame) {
  const std::vector<std::string> hybrid = lines();
  input.cgroup_host.layout = cgroup::Layout::legacy;
  input.cgroup_host.hierarchies.pop_back();
  EXPECT_EQ(lines(), hybrid);
}

TEST_F(DraftCgroupV1, OptionsOfTheFileSystemGoToEveryHierarchy) {
  spec.mounts[1].options = {"xattr"};
  const std::vector<std::string> all = lines();
  EXPECT_EQ(all[1], "mount /sys/fs/cgroup/cpu,cpuacct cgroup cgroup cpu,cpuacct,xattr");
  EXPECT_EQ(all.back(), "mount /sys/fs/cgroup/systemd cgroup cgroup none,name=systemd,xattr");
  spec.linux->namespaces.pop_back();
  EXPECT_EQ(
      refusal(),
      "config.json: mounts[1].options: without a cgroup namespace the cgroups of the host are "
      "bound, which takes no \"xattr\"");
}

TEST_F(DraftCgroupV1, Cgroup2IsStillAFileSystemOfItsOwn) {
  spec.mounts[1].type = "cgroup2";
  EXPECT_THAT(lines(), ElementsAre("mount /sys/fs/cgroup cgroup2 cgroup2 "));
  spec.linux->namespaces.pop_back();
  EXPECT_THAT(lines(), ElementsAre("bind /sys/fs/cgroup /sys/fs/cgroup/unified"));
}

}  // namespace
}  // namespace ocirt::container
