#include "src/container/draft_id_maps.h"

#include <gmock/gmock.h>

namespace ocirt::container {
namespace {

using testing::HasSubstr;

class DraftIdMaps : public testing::Test {
 protected:
  Result<IdMaps> maps() {
    return draft_id_maps(mount_, parse_mount_options(mount_.options), linux_);
  }
  std::string refusal() {
    Result<IdMaps> drafted = maps();
    return drafted ? "" : drafted.error().text;
  }
  void give_user_namespace() {
    linux_.uid_mappings = {{0, 100000, 1}, {1, 200000, 1000}};
    linux_.gid_mappings = {{0, 300000, 65536}};
  }

  oci::Mount mount_{.destination = "/t", .source = "/s", .options = {"bind"}};
  oci::Linux linux_;
};

TEST_F(DraftIdMaps, AreNothingUnlessAskedFor) {
  give_user_namespace();
  EXPECT_FALSE(maps()->given());
}

TEST_F(DraftIdMaps, AreTheFieldsOfTheMountWithOrWithoutTheOption) {
  mount_.uid_mappings = {{0, 1000, 1}, {5, 6, 7}};
  mount_.gid_mappings = {{0, 0, 1}};
  EXPECT_EQ(maps()->uids, "0 1000 1\n5 6 7\n");
  mount_.options = {"bind", "idmap"};
  EXPECT_EQ(maps()->gids, "0 0 1\n");
}

TEST_F(DraftIdMaps, OfTheOptionAloneAreTheContainers) {
  mount_.options = {"bind", "idmap"};
  EXPECT_THAT(refusal(), HasSubstr("the container has no user namespace"));
  give_user_namespace();
  EXPECT_EQ(maps()->uids, "0 100000 1\n1 200000 1000\n");
  EXPECT_EQ(maps()->gids, "0 300000 65536\n");
  linux_.namespaces = {{oci::NamespaceType::kUser, "/proc/7/ns/user"}};
  EXPECT_EQ(maps()->user_namespace, "/proc/7/ns/user");
}

TEST_F(DraftIdMaps, OfTheOptionsTextAreTheHosts) {
  give_user_namespace();
  mount_.options = {"bind", "idmap=uids=0-1-10#10-11-10;gids=0-100-10"};
  EXPECT_EQ(maps()->uids, "0 1 10\n10 11 10\n");
  EXPECT_EQ(maps()->gids, "0 100 10\n");
}

TEST_F(DraftIdMaps, WithAnAtAreCountedFromTheContainersUserNamespace) {
  mount_.options = {"bind", "idmap=uids=@1-3-10;gids=@0-5-2"};
  EXPECT_EQ(maps()->uids, "1 3 10\n") << "without one, its ids are the host's";
  give_user_namespace();
  EXPECT_EQ(maps()->uids, "1 200002 10\n");
  EXPECT_EQ(maps()->gids, "0 300005 2\n");
  mount_.options = {"bind", "idmap=uids=@0-0-2;gids=@0-0-2"};
  EXPECT_THAT(refusal(), HasSubstr("\"@0-0-2\" is not inside one range"));
  linux_.namespaces = {{oci::NamespaceType::kUser, "/proc/7/ns/user"}};
  EXPECT_THAT(refusal(), HasSubstr("to count from"));
}

TEST_F(DraftIdMaps, AreGivenOnceAndForBothKinds) {
  mount_.options = {"bind", "idmap=uids=0-1-1"};
  EXPECT_THAT(refusal(), HasSubstr("gids= is missing"));
  mount_.options = {"bind", "idmap=uids=0-1-1;gids=0-1-1"};
  mount_.uid_mappings = mount_.gid_mappings = {{0, 1, 1}};
  EXPECT_THAT(refusal(), HasSubstr("both by uidMappings"));
}

}  // namespace
}  // namespace ocirt::container
