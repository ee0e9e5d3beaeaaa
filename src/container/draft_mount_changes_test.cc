#include <gmock/gmock.h>
#include <sys/mount.h>

#include "src/container/change_mounts.h"
#include "src/container/draft_reader.h"

namespace ocirt::container {
namespace {

using testing::HasSubstr;

class DraftMountChanges : public Drafting {
 protected:
  DraftMountChanges() { record.bundle = "/bundle"; }
  Result<Draft> add(std::vector<oci::Mount> mounts) {
    spec.mounts = {{.destination = "/of-the-configuration", .type = "tmpfs"}};
    return draft_added_mounts(spec, record, {"c1", "list.json", std::move(mounts)},
                              input.cgroup_host);
  }
  std::string refusal(oci::Mount mount) {
    Result<Draft> drafted = add({std::move(mount)});
    return drafted ? "" : drafted.error().text;
  }

  Record record;
};

TEST_F(DraftMountChanges, AddOnlyWhatIsListed) {
  Result<Draft> drafted = add({{.destination = "t", .type = "tmpfs"}});
  ASSERT_TRUE(drafted) << drafted.error().text;
  DraftReader reader(*std::move(drafted));
  EXPECT_EQ(reader.plan().purpose, plan::Purpose::mounts);
  auto mounts = reader.list(reader.plan().mounts);
  ASSERT_EQ(mounts.size(), 1u);
  EXPECT_EQ(reader.text(mounts[0].destination), "/t");
}

TEST_F(DraftMountChanges, EnterAUserNamespace) {
  EXPECT_FALSE(add({{.destination = "/t", .type = "tmpfs"}})->builder.plan.user.entered);
  record.user_namespace = true;
  EXPECT_TRUE(add({{.destination = "/t", .type = "tmpfs"}})->builder.plan.user.entered);
}

TEST_F(DraftMountChanges, EverySourceIsOpenedByOcirtOnce) {
  Result<Draft> drafted = add({{.destination = "/a", .type = "tmpfs"},
                               {.destination = "/b", .source = "data", .options = {"bind"}},
                               {.destination = "/c",
                                .source = "/s",
                                .options = {"rbind", "ridmap=uids=0-1-1;gids=0-1-1"}}});
  ASSERT_TRUE(drafted) << drafted.error().text;
  ASSERT_EQ(drafted->trees.size(), 2u);
  for (const MountTree& tree : drafted->trees) {
    EXPECT_EQ(tree.source, tree.mount == 1 ? "/bundle/data" : "/s");
    EXPECT_EQ(tree.maps.given(), tree.mount == 2);
  }
  EXPECT_EQ(drafted->builder.plan.root_propagation, uint32_t{MS_SLAVE | MS_REC});
}

TEST_F(DraftMountChanges, RefuseWhatWouldBeLookedUpInTheContainer) {
  for (const char* type : {"ext4", "overlay", "proc", "devpts", ""}) {
    EXPECT_THAT(refusal({.destination = "/x", .type = type, .source = "/dev/sda"}),
                HasSubstr("add that with the option bind"));
  }
  EXPECT_EQ(refusal({.destination = "/x", .type = "cgroup"}), "");
  input.cgroup_host.layout = cgroup::Layout::hybrid;
  EXPECT_THAT(refusal({.destination = "/x", .type = "cgroup"}), HasSubstr("\"cgroup\""));
}

TEST_F(DraftMountChanges, NameTheDocumentAndThePlace) {
  EXPECT_EQ(refusal({.destination = "/x", .type = "tmpfs", .options = {"tmpcopyup"}}),
            "list.json: mounts[0] (/x): tmpcopyup cannot be trusted while the container runs");
  EXPECT_EQ(refusal({.destination = "/x", .options = {"bind"}}),
            "list.json: mounts[0].source: a bind mount needs one");
}

TEST_F(DraftMountChanges, RefuseTheRootUnlessItIsChanged) {
  for (const char* root : {"/", ".", "//x/.."})
    EXPECT_THAT(refusal({.destination = root, .type = "tmpfs"}), HasSubstr("on its root"));
  EXPECT_EQ(refusal({.destination = "/", .options = {"remount", "ro"}}), "");
}

TEST_F(DraftMountChanges, RemoveByDestinationAlone) {
  Result<Draft> drafted = draft_removed_mounts(
      {"c1", "list.json", {{.destination = "a//b/"}, {.destination = "/c", .type = "ext4"}}});
  ASSERT_TRUE(drafted);
  DraftReader reader(*std::move(drafted));
  auto mounts = reader.list(reader.plan().mounts);
  ASSERT_EQ(mounts.size(), 2u);
  EXPECT_EQ(mounts[0].kind, plan::MountKind::removal);
  EXPECT_EQ(reader.text(mounts[0].destination), "/a/b");
  EXPECT_EQ(mounts[1].index, 1u);
  EXPECT_FALSE(draft_removed_mounts({"c1", "list.json", {{.destination = "/a/.."}}}));
}

}  // namespace
}  // namespace ocirt::container
