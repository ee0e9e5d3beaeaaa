#include "src/container/draft_user.h"

#include <gmock/gmock.h>
#include <linux/sched.h>

#include "src/container/draft_reader.h"

namespace ocirt::container {
namespace {

using testing::HasSubstr;

class DraftUser : public Drafting {
 protected:
  DraftUser() {
    spec.linux->namespaces.push_back({oci::NamespaceType::kUser});
    spec.linux->uid_mappings = spec.linux->gid_mappings = {{0, 100000, 65536}};
    input.own_uid = input.own_gid = 1000;
  }
  void be_ordinary() {
    input.rootless = true;
    spec.linux->uid_mappings = spec.linux->gid_mappings = {{0, 1000, 1}};
  }
};

TEST_F(DraftUser, WithoutOneNothingIsAskedOfInit) {
  spec.linux->namespaces.pop_back();
  spec.linux->uid_mappings = spec.linux->gid_mappings = {};
  DraftReader draft = read();
  EXPECT_FALSE(draft.plan().user.entered || draft.plan().user.settles || draft.plan().user.forks);
  EXPECT_FALSE(draft.draft.user);
  EXPECT_NE(draft.draft.new_namespaces, 0u);
}

TEST_F(DraftUser, OneMakesInitMakeTheOthers) {
  DraftReader draft = read();
  EXPECT_EQ(draft.draft.new_namespaces, 0u);
  EXPECT_EQ(draft.plan().unshare,
            static_cast<uint32_t>(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC |
                                  CLONE_NEWUTS | CLONE_NEWNET));
  EXPECT_TRUE(draft.plan().user.entered && draft.plan().user.settles && draft.plan().user.forks);
  EXPECT_TRUE(draft.plan().new_network);
  EXPECT_FALSE(draft.plan().user.traceable);
  EXPECT_EQ(draft.plan().user.stream_owner, 100000u);
  EXPECT_EQ(draft.plan().user.root_uid, 100000u);
  EXPECT_TRUE(draft.draft.user->is_new);
}

TEST_F(DraftUser, AJoinedOneNeedsNoMappings) {
  spec.linux->namespaces.back().path = "/some/user";
  spec.linux->uid_mappings = spec.linux->gid_mappings = {};
  DraftReader draft = read();
  EXPECT_EQ(draft.plan().unshare & CLONE_NEWUSER, 0u);
  EXPECT_NE(draft.plan().unshare & CLONE_NEWNS, 0u);
  EXPECT_TRUE(draft.plan().user.entered);
  EXPECT_FALSE(draft.draft.user->is_new);
}

TEST_F(DraftUser, OurOwnIsNoOther) {
  spec.linux->namespaces.back().path = "/proc/self/ns/user";
  spec.linux->uid_mappings = spec.linux->gid_mappings = {};
  DraftReader draft = read();
  EXPECT_FALSE(draft.draft.user);
  EXPECT_TRUE(draft.draft.shared.empty());
}

TEST_F(DraftUser, ANewOneNeedsMappings) {
  spec.linux->uid_mappings = {};
  EXPECT_THAT(refusal(), HasSubstr("linux.uidMappings: a new user namespace needs them"));
  spec.linux->uid_mappings = {{1, 100000, 10}};
  EXPECT_THAT(refusal(), HasSubstr("linux.uidMappings: 0 must be mapped"));
  spec.linux->uid_mappings = {{0, 100000, 10}};
  spec.linux->gid_mappings = {};
  EXPECT_THAT(refusal(), HasSubstr("linux.gidMappings: a new user namespace needs them"));
}

TEST_F(DraftUser, MoreRangesThanTheKernelTakesAreRefused) {
  for (uint32_t i = 0; i < 340; ++i)
    spec.linux->uid_mappings.push_back({100000 + i, 300000 + i, 1});
  EXPECT_THAT(refusal(), HasSubstr("at most 340 ranges, found 341"));
}

TEST_F(DraftUser, UsersThatAreNotMappedAreNamed) {
  spec.process->user.uid = 65536;
  EXPECT_THAT(refusal(), HasSubstr("process.user.uid: 65536 is not mapped"));
  spec.process->user = {.uid = 65535, .gid = 65536};
  EXPECT_THAT(refusal(), HasSubstr("process.user.gid: 65536 is not mapped"));
  spec.process->user = {.additional_gids = {1, 65536}};
  EXPECT_THAT(refusal(), HasSubstr("process.user.additionalGids: 65536 is not mapped"));
}

TEST_F(DraftUser, DevicesAreForOcirtToMakeWithTheirOwnersOnTheHost) {
  spec.linux->devices = {{.type = oci::DeviceType::kCharacter,
                          .path = "/dev/mine",
                          .major = 1,
                          .minor = 3,
                          .file_mode = 0640,
                          .uid = 7,
                          .gid = 8},
                         {.type = oci::DeviceType::kFifo, .path = "/dev/fifo"}};
  DraftReader draft = read();
  ASSERT_EQ(draft.draft.device_nodes.size(), 1u);
  const DeviceNode& node = draft.draft.device_nodes[0];
  EXPECT_EQ(node.uid, 100007u);
  EXPECT_EQ(node.gid, 100008u);
  auto devices = draft.list(draft.plan().devices);
  EXPECT_TRUE(devices[std::stoul(node.name)].premade);
  EXPECT_EQ(draft.text(devices[std::stoul(node.name)].path), "/dev/mine");
  EXPECT_FALSE(devices.back().premade);
  input.rootless = true;
  EXPECT_TRUE(read().draft.device_nodes.empty());
}

TEST_F(DraftUser, MountsOfTheHostsNamespacesAreRefused) {
  spec.mounts = {{.destination = "/sys", .type = "sysfs"},
                 {.destination = "/dev/mqueue", .type = "mqueue"}};
  EXPECT_EQ(refusal(), "");
  spec.linux->namespaces = {{oci::NamespaceType::kMount}, {oci::NamespaceType::kUser}};
  EXPECT_THAT(refusal(), HasSubstr("mounts[1] (/dev/mqueue): with a user namespace mqueue needs"));
}

TEST_F(DraftUser, OwnersOfFileSystemsMustBeMapped) {
  spec.mounts = {{.destination = "/dev/pts", .type = "devpts", .options = {"gid=5"}}};
  EXPECT_EQ(refusal(), "");
  spec.linux->gid_mappings = {{0, 100000, 5}};
  EXPECT_THAT(refusal(), HasSubstr("mounts[0] (/dev/pts): option gid=5: 5 is not mapped"));
}

TEST_F(DraftUser, EveryCapabilityCanBeGranted) {
  spec.process->capabilities = oci::Capabilities{.bounding = {"CAP_SYS_RESOURCE", "CAP_SYS_ADMIN"}};
  DraftReader draft = read();
  EXPECT_EQ(draft.plan().process.bounding, uint64_t{1} << 24 | uint64_t{1} << 21);
  EXPECT_TRUE(draft.draft.warnings.empty());
}

TEST_F(DraftUser, AnOrdinaryUserNeedsOneAndLearnsHow) {
  be_ordinary();
  DraftReader draft = read();
  EXPECT_TRUE(draft.plan().user.traceable && draft.plan().user.join_first);
  EXPECT_EQ(draft.plan().user.stream_owner, plan::kNoIndex);
  spec.linux->namespaces.pop_back();
  EXPECT_THAT(refusal(), HasSubstr("ocirt spec --rootless"));
}

TEST_F(DraftUser, AnOrdinaryUsersOwnGroupAloneAllowsNoOthers) {
  be_ordinary();
  spec.process->user.additional_gids = {0};
  EXPECT_THAT(refusal(), HasSubstr("an ordinary user cannot set groups"));
}

TEST_F(DraftUser, TheCgroupIsGivenAwayWhereItCanBeWrittenTo) {
  auto owner = [&] { return read().draft.user->cgroup_owner; };
  spec.linux->namespaces.push_back({oci::NamespaceType::kCgroup});
  EXPECT_EQ(owner(), std::nullopt);
  spec.mounts = {{.destination = "/sys/fs/cgroup", .type = "cgroup"}};
  EXPECT_EQ(owner(), 100000u);
  spec.mounts[0].options = {"ro"};
  EXPECT_EQ(owner(), std::nullopt);
  spec.mounts[0].options = {};
  spec.linux->namespaces.pop_back();
  EXPECT_EQ(owner(), std::nullopt);
}

TEST_F(DraftUser, IdsAreCountedFromEachRangesBegin) {
  const std::vector<oci::IdMapping> ranges = {{0, 1000, 1}, {1, 100000, 10}};
  EXPECT_EQ(host_id(ranges, 0), 1000u);
  EXPECT_EQ(host_id(ranges, 1), 100000u);
  EXPECT_EQ(host_id(ranges, 10), 100009u);
  EXPECT_EQ(host_id(ranges, 11), std::nullopt);
  EXPECT_FALSE(is_own_id(ranges, 1000));
  EXPECT_TRUE(is_own_id({{0, 1000, 1}}, 1000));
  EXPECT_FALSE(is_own_id({{0, 1000, 2}}, 1000));
  EXPECT_FALSE(is_own_id({{0, 1001, 1}}, 1000));
}

using DraftTime = Drafting;

TEST_F(DraftTime, OffsetsAreLinesForTheKernel) {
  spec.linux->namespaces.push_back({oci::NamespaceType::kTime});
  spec.linux->time_offsets = oci::TimeOffsets{.boottime = oci::TimeOffset{-5, 7},
                                              .monotonic = oci::TimeOffset{.nanosecs = 9}};
  DraftReader draft = read();
  EXPECT_EQ(draft.text(draft.plan().clock_offsets), "monotonic 0 9\nboottime -5 7\n");
  EXPECT_EQ(draft.plan().unshare, static_cast<uint32_t>(CLONE_NEWTIME));
  EXPECT_FALSE(draft.plan().user.forks);
}

TEST_F(DraftTime, WithoutOffsetsNothingIsWritten) {
  spec.linux->namespaces.push_back({oci::NamespaceType::kTime});
  spec.linux->time_offsets.emplace();
  EXPECT_FALSE(read().plan().clock_offsets.given());
}

}  // namespace
}  // namespace ocirt::container
