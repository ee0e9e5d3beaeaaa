#include "src/container/list.h"

#include "src/container/stand_in.h"

namespace ocirt::container {
namespace {

using ListTest = StandIn;

TEST_F(ListTest, HasEveryContainerSortedAndTheBrokenOnesApart) {
  add("b", start_process());
  add("a", 0);
  store.create("half")->commit();
  store.create("bad")->commit();
  write_file("bad", "state.json", "nonsense");
  Listing listing = *list(store);
  ASSERT_EQ(listing.entries.size(), 2u);
  EXPECT_EQ(listing.entries[0].record.id, "a");
  EXPECT_EQ(listing.entries[0].status, oci::Status::kCreating);
  EXPECT_EQ(listing.entries[1].record.id, "b");
  EXPECT_EQ(listing.entries[1].status, oci::Status::kRunning);
  ASSERT_EQ(listing.broken.size(), 2u);
  EXPECT_NE(listing.broken[0].find("bad"), std::string::npos);
  EXPECT_NE(listing.broken[1].find("half"), std::string::npos);
}

TEST_F(ListTest, OfAnEmptyDirectoryIsEmpty) {
  EXPECT_TRUE(list(store)->entries.empty());
  EXPECT_TRUE(list(store)->broken.empty());
}

TEST_F(ListTest, StateDocumentHasTheKeysThatEnginesReadAndNoOthers) {
  Entry entry;
  entry.record = record_of("c1", ::getpid());
  entry.record.annotations.set("k", "v");
  entry.status = oci::Status::kRunning;
  EXPECT_EQ(state_document(entry, false),
            cat("{\"ociVersion\":\"1.0.2\",\"id\":\"c1\",\"pid\":", ::getpid(),
                ",\"status\":\"running\",\"bundle\":\"/bundles/c1\",\"annotations\":{\"k\":\"v\"},"
                "\"rootfs\":\"/bundles/c1/rootfs\",\"created\":\"2024-02-29T23:59:59.000000001Z\","
                "\"owner\":\"root\"}"));
  entry.status = oci::Status::kStopped;
  EXPECT_NE(state_document(entry, false).find("\"pid\":0,"), std::string::npos);
  entry.record.unit = cgroup::Unit{.name = "ocirt-c1.scope", .slice = "system.slice"};
  EXPECT_NE(state_document(entry, false).find("\"systemd-scope\":\"ocirt-c1.scope\""),
            std::string::npos);
}

TEST(UserName, IsThatOfTheHostOrTheNumber) {
  EXPECT_EQ(user_name(0), "root");
  EXPECT_EQ(user_name(4294967294u), "#4294967294");
}

}  // namespace
}  // namespace ocirt::container
