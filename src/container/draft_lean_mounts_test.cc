#include "src/container/draft_lean_mounts.h"

#include <linux/sched.h>

#include "src/container/draft_reader.h"

namespace ocirt::container {
namespace {

class LeanMounts : public Drafting {
 protected:
  LeanMounts() { input.namespaces_of_trees = true; }
  bool is_lean() {
    Result<Draft> made = draft();
    EXPECT_TRUE(made) << made.error().text;
    if (!made) return false;
    const bool lean = made->builder.plan.lean_mounts;
    const bool copied = (made->new_namespaces & CLONE_NEWNS) != 0;
    EXPECT_FALSE(lean && copied);
    return lean;
  }
  void mount(std::string type, std::string source, std::vector<std::string> options = {}) {
    spec.mounts.push_back({.destination = "/x",
                           .type = std::move(type),
                           .source = std::move(source),
                           .options = std::move(options)});
  }
};

TEST_F(LeanMounts, AreThoseOfAnOrdinaryContainer) {
  mount("proc", "proc");
  mount("tmpfs", "tmpfs", {"nosuid"});
  mount("", "/srv", {"rbind", "rslave"});
  EXPECT_TRUE(is_lean());
}

TEST_F(LeanMounts, NeedAKernelThatHasThemOrANamespaceWithFewMounts) {
  input.namespaces_of_trees = false;
  EXPECT_FALSE(is_lean());
  input.few_mounts = DevtmpfsMounts{7, 8};
  EXPECT_TRUE(is_lean());
  EXPECT_EQ(draft()->builder.plan.few_mounts, 7);
  EXPECT_EQ(draft()->builder.plan.few_mounts_inode, 8u);
  input.namespaces_of_trees = true;  // below which nothing is
  EXPECT_EQ(draft()->builder.plan.few_mounts, 0);
}

TEST_F(LeanMounts, HaveNothingBelowThemForWhoMayUnmount) {
  spec.process->capabilities = oci::Capabilities{.bounding = {{"CAP_SYS_ADMIN"}}};
  EXPECT_TRUE(is_lean());
  input.namespaces_of_trees = false;
  input.few_mounts = DevtmpfsMounts{7, 8};
  EXPECT_FALSE(is_lean());
}

TEST_F(LeanMounts, AreNotForANamespaceThatIsNotNew) {
  spec.linux->namespaces = {{oci::NamespaceType::kMount, "/proc/1/ns/mnt"}};
  EXPECT_FALSE(is_lean());
}

TEST_F(LeanMounts, AreNotForFileSystemsThatAreMadeOfSomethingOfTheHosts) {
  mount("overlay", "overlay", {"lowerdir=/a:/b"});
  EXPECT_FALSE(is_lean());
}

TEST_F(LeanMounts, AreNotWhereOneOfThemIsTheRoot) {
  spec.mounts.push_back({.destination = "//x/..", .type = "tmpfs"});
  EXPECT_FALSE(is_lean());
}

TEST_F(LeanMounts, AreNotForSourcesInTheRootfsWhichEarlierMountsCover) {
  mount("", "/bundle/rootfs/data", {"bind"});
  EXPECT_FALSE(is_lean());
  spec.mounts.clear();
  mount("", "/bundle/rootfs2", {"bind"});
  EXPECT_TRUE(is_lean());
}

TEST_F(LeanMounts, AreNotForMountsThatAreToReachTheHost) {
  spec.linux->rootfs_propagation = oci::RootfsPropagation::kRshared;
  EXPECT_FALSE(is_lean());
}

TEST_F(LeanMounts, AreNotForHooksThatLookForPathsOfTheHost) {
  spec.hooks = oci::Hooks{.create_container = {{.path = "/bin/hook"}}};
  EXPECT_FALSE(is_lean());
  spec.hooks = oci::Hooks{.prestart = {{.path = "/bin/hook"}}};
  EXPECT_FALSE(is_lean());
  spec.hooks = oci::Hooks{.poststop = {{.path = "/bin/hook"}}};
  EXPECT_TRUE(is_lean());
}

TEST_F(LeanMounts, AreNotWithinAUserNamespaceOrWithoutPivot) {
  input.no_pivot = true;
  EXPECT_FALSE(is_lean());
  input.no_pivot = false;
  input.within_user_namespace = true;
  EXPECT_FALSE(is_lean());
}

}  // namespace
}  // namespace ocirt::container
