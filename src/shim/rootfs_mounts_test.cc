#include "src/shim/rootfs_mounts.h"

#include <gtest/gtest.h>
#include <linux/mount.h>

#include "src/base/text.h"

namespace ocirt::shim {
namespace {

TEST(RootfsMounts, OptionsBecomeFlagsAndTheRestIsForTheFileSystem) {
  const MountCall call = *decide_mount(
      {"overlay", "overlay", "", {"ro", "index=off", "X-containerd.x=1", "lowerdir=/a:/b"}}, 4096);
  EXPECT_FALSE(call.bind);
  EXPECT_EQ(call.flags, MS_RDONLY);
  EXPECT_EQ(call.data, "index=off,lowerdir=/a:/b");
  EXPECT_EQ(call.directory, "");
}

TEST(RootfsMounts, ABindHasOptionsOfItsOwn) {
  const MountCall call =
      *decide_mount({"bind", "/a", "", {"rbind", "ro", "nosuid", "rslave"}}, 4096);
  EXPECT_TRUE(call.bind);
  EXPECT_TRUE(call.recursive);
  EXPECT_EQ(call.set, uint64_t{MOUNT_ATTR_RDONLY} | MOUNT_ATTR_NOSUID);
  EXPECT_EQ(call.propagation, (std::vector<uint64_t>{MS_SLAVE | MS_REC}));
  EXPECT_FALSE(decide_mount({"bind", "/a", "", {"bind", "size=1"}}, 4096));
}

TEST(RootfsMounts, LayersAreSaidRelativeToTheirDirectoryWhenTheyAreTooLong) {
  const MountCall call =
      *decide_mount({"overlay",
                     "overlay",
                     "",
                     {"lowerdir=/snapshots/12/fs:/snapshots/1/fs", "upperdir=/u", "workdir=/w"}},
                    60);
  EXPECT_EQ(call.directory, "/snapshots");
  EXPECT_EQ(call.data, "lowerdir=12/fs:1/fs,upperdir=/u,workdir=/w");
  const MountCall last =
      *decide_mount({"overlay", "overlay", "", {"index=off", "lowerdir=/s/ab/x\\:y:/s/abc/y"}}, 35);
  EXPECT_EQ(last.directory, "/s");
  EXPECT_EQ(last.data, "index=off,lowerdir=ab/x\\:y:abc/y");
}

TEST(RootfsMounts, WhatIsTooLongEvenSoIsRefused) {
  const Result<MountCall> far =
      decide_mount({"overlay", "overlay", "", {"lowerdir=/aaaa/bbbb:/cccc/dddd"}}, 20);
  ASSERT_FALSE(far);
  EXPECT_EQ(far.error().text, "the options have 30 bytes, and the kernel takes 19");
  EXPECT_FALSE(decide_mount({"tmpfs", "x", "", {std::string(100, 'a')}}, 100));
}

TEST(RootfsMounts, IdsAreShownAsAUserNamespaceMapsThem) {
  const MountCall call =
      *decide_mount({"overlay",
                     "overlay",
                     "",
                     {"index=off", "lowerdir=/a/x\\:y:/b", "upperdir=/u",
                      "uidmap=0:100000:65536,65536:0:1", "gidmap=0:200000:65536"}},
                    4096);
  EXPECT_EQ(call.uid_map, "0 100000 65536\n65536 0 1\n");
  EXPECT_EQ(call.gid_map, "0 200000 65536\n");
  EXPECT_EQ(call.data, "index=off,upperdir=/u");
  EXPECT_EQ(call.layers, (std::vector<std::string>{"/a/x:y", "/b"}));
  const MountCall bind =
      *decide_mount({"bind", "/a", "", {"rbind", "uidmap=0:1000:10", "gidmap=0:1000:10"}}, 4096);
  EXPECT_EQ(bind.uid_map, "0 1000 10\n");
  EXPECT_TRUE(bind.layers.empty());
}

TEST(RootfsMounts, AFileSystemOfAProgramIsMadeByItsHelper) {
  const MountCall call = *decide_mount(
      {"fuse3.fuse-overlayfs", "overlay", "", {"lowerdir=/a:/b", "x-note", "ro"}}, 4096);
  EXPECT_EQ(call.helper, "mount.fuse3");
  EXPECT_EQ(call.helper_words,
            (std::vector<std::string>{"-o", "lowerdir=/a:/b", "-o", "ro", "-t", "fuse-overlayfs"}));
  EXPECT_FALSE(decide_mount({"fuse.", "a", "", {}}, 4096));
}

TEST(RootfsMounts, MappingsThatAreNoneAreRefused) {
  auto text = [](std::vector<std::string> options) {
    Result<MountCall> call = decide_mount({"overlay", "o", "", std::move(options)}, 4096);
    return call ? "" : call.error().text;
  };
  EXPECT_EQ(text({"lowerdir=/a:/b", "uidmap=0:1:1"}),
            "the options uidmap= and gidmap= come together");
  EXPECT_EQ(text({"uidmap=0:1:1", "gidmap=0:1:1", "index=off"}),
            "an overlay with uidmap= and without lowerdir=");
  for (const char* map : {"", "0:1", "0:1:0", "0:1:x", "-1:0:1", "0:1:1,", "0:1:4294967296"}) {
    EXPECT_NE(text({"lowerdir=/a:/b", cat("uidmap=", map), "gidmap=0:1:1"}), "") << map;
  }
}

TEST(RootfsMounts, WhatIsNotSupportedIsRefused) {
  for (const RootfsMount& mount :
       {RootfsMount{"fuse3.x", "a", "/inside", {}}, RootfsMount{"bind", "a", "", {"remount"}}}) {
    const Result<MountCall> call = decide_mount(mount, 4096);
    ASSERT_FALSE(call);
    EXPECT_TRUE(call.error().text.starts_with("not supported")) << call.error().text;
  }
}

}  // namespace
}  // namespace ocirt::shim
