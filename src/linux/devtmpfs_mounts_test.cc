#include "src/linux/devtmpfs_mounts.h"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <string>

#include "src/sys/file.h"
#include "src/sys/test_directory.h"

namespace ocirt {
namespace {

constexpr const char* kNote = "trusted.ocirt.kdevtmpfs";

class DevtmpfsThread : public sys::TestDirectory {
 protected:
  void SetUp() override {
    ASSERT_EQ(mount("tmpfs", path.c_str(), "tmpfs", 0, nullptr), 0);
    root_ = *sys::open(sys::kCwd, path, O_RDONLY | O_DIRECTORY);
    found_ = find_devtmpfs_mounts(root_);
    if (!found_) GTEST_SKIP() << "no kdevtmpfs can be seen from here";
  }
  void TearDown() override {
    root_.reset();
    umount2(path.c_str(), MNT_DETACH);
  }
  std::string note() const {
    char room[64];
    const ssize_t size = fgetxattr(root_.raw(), kNote, room, sizeof room);
    return size < 0 ? "" : std::string(room, static_cast<size_t>(size));
  }
  void write_note(const std::string& text) const {
    ASSERT_EQ(fsetxattr(root_.raw(), kNote, text.data(), text.size(), 0), 0);
  }

  UniqueFd root_;
  std::optional<DevtmpfsMounts> found_;
};

TEST_F(DevtmpfsThread, IsInAnotherMountNamespaceThanWeAre) {
  const std::string place = "/proc/" + std::to_string(found_->thread);
  EXPECT_EQ(sys::stat(sys::kCwd, place + "/ns/mnt")->st_ino, found_->inode);
  EXPECT_NE(sys::stat(sys::kCwd, "/proc/self/ns/mnt")->st_ino, found_->inode);
  EXPECT_EQ(*sys::read_file(sys::kCwd, place + "/comm"), "kdevtmpfs\n");
}

TEST_F(DevtmpfsThread, IsFoundByTheNoteTheSecondTime) {
  EXPECT_EQ(note(), std::to_string(found_->thread) + " " + std::to_string(found_->inode));
  write_note("12 34");
  EXPECT_EQ(find_devtmpfs_mounts(root_)->thread, 12);
  EXPECT_EQ(find_devtmpfs_mounts(root_)->inode, 34u);
}

TEST_F(DevtmpfsThread, IsLookedForAgainWhenTheNoteCannotBeRead) {
  for (const char* wrong : {"x", "1", "1 x", ""}) {
    write_note(wrong);
    const std::optional<DevtmpfsMounts> again = find_devtmpfs_mounts(root_);
    ASSERT_TRUE(again) << wrong;
    EXPECT_EQ(again->thread, found_->thread) << wrong;
    EXPECT_TRUE(note().starts_with(std::to_string(found_->thread) + " "));
  }
}

TEST_F(DevtmpfsThread, IsNotLookedForAgainWhereThereWasNone) {
  write_note("0 0");
  EXPECT_FALSE(find_devtmpfs_mounts(root_));
}

TEST_F(DevtmpfsThread, IsNotLookedForWhereTheNoteWouldOutliveTheKernelsRun) {
  const UniqueFd proc = *sys::open(sys::kCwd, "/proc", O_RDONLY | O_DIRECTORY);
  EXPECT_FALSE(find_devtmpfs_mounts(proc));
}

}  // namespace
}  // namespace ocirt
