// config.md, "Linux mount options": the words that need more than a flag, each by its effect
// inside.
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/fixture.h"

#define NEEDS_WORD(word)                                     \
  if (!contains(features()["mountOptions"].strings(), word)) \
  GTEST_SKIP() << "the runtime does not list " << (word) << " in `features`"

namespace harness {
namespace {

class MountWords : public ContainerTest {
 protected:
  Mount tmpfs_with(const std::vector<std::string>& options) {
    bundle.mount("/x", "tmpfs", "tmpfs", options);
    return mount_at(mounts_inside(), "/x");
  }
  std::string source() {
    make_directories(scratch() + "/source");
    return scratch() + "/source";
  }
  void expect_refused(std::string_view part) {
    Container container(runtime, bundle);
    EXPECT_FAILS(container.create(), 1, part);
    EXPECT_TRUE(names_in(runtime.root()).empty());
    EXPECT_TRUE(cgroups::leftovers().empty());
  }
};

// -- words for a new file system

TEST_F(MountWords, LazytimeIsOfTheFileSystemAndCanBeTakenBack) {
  NEEDS_WORD("lazytime");
  EXPECT_TRUE(tmpfs_with({"lazytime"}).has_super("lazytime"));
  bundle.without_mount("/x");
  EXPECT_FALSE(tmpfs_with({"lazytime", "nolazytime"}).has_super("lazytime"));
}

TEST_F(MountWords, OfTheFileSystemMayBeSaidOfATreeToo) {
  NEEDS_WORD("rdirsync");
  const Mount mount = tmpfs_with({"rdirsync", "rsync"});
  EXPECT_TRUE(mount.has_super("dirsync") && mount.has_super("sync"));
  bundle.without_mount("/x");
  EXPECT_FALSE(tmpfs_with({"rsync", "rasync"}).has_super("sync"));
}

TEST_F(MountWords, AclIsNotTakenForAnOptionOfTheFileSystem) {
  NEEDS_WORD("acl");
  // A tmpfs refuses what it does not know.
  EXPECT_EQ("tmpfs", tmpfs_with({"acl", "noacl"}).type);
}

TEST_F(MountWords, AsyncTakesSyncBack) {
  EXPECT_FALSE(tmpfs_with({"sync", "async"}).has_super("sync"));
}

TEST_F(MountWords, ThatShowNowhereAreNotTakenForOptionsOfTheFileSystem) {
  NEEDS_WORD("iversion");
  // A tmpfs refuses what it does not know.
  EXPECT_EQ("tmpfs", tmpfs_with({"silent", "loud", "iversion", "noiversion", "mand", "nomand",
                                 "defaults", "norelatime", "nostrictatime"})
                         .type);
}

TEST_F(MountWords, SymfollowTakesNosymfollowBack) {
  NEEDS_WORD("symfollow");
  EXPECT_FALSE(tmpfs_with({"nosymfollow", "symfollow"}).has("nosymfollow"));
}

TEST_F(MountWords, NosymfollowKeepsLinksFromBeingFollowed) {
  NEEDS_WORD("nosymfollow");
  bundle.mount("/x", "tmpfs", "tmpfs", {"nosymfollow"});
  EXPECT_EQ("target\nno\n",
            run_shell("ln -s target /x/link; readlink /x/link; echo there > /x/target;"
                      "cat /x/link 2>/dev/null || echo no"));
}

// -- words for a tree

class RecursiveWords : public MountWords {
 protected:
  void mount_inner(unsigned long flags) {
    make_directories(source() + "/inner");
    ASSERT_EQ(0, mount("tmpfs", (source() + "/inner").c_str(), "tmpfs", flags, nullptr));
    mounted_ = true;
  }
  void TearDown() override {
    if (mounted_) {
      EXPECT_EQ(0, umount2((source() + "/inner").c_str(), MNT_DETACH));
    }
    MountWords::TearDown();
  }
  bool mounted_ = false;
};

TEST_F(RecursiveWords, TakeAttributesAwayThroughout) {
  mount_inner(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NODIRATIME | MS_NOATIME);
  bundle.mount("/x", "bind", source(),
               {"rbind", "rrw", "rsuid", "rdev", "rexec", "rdiratime", "ratime"});
  const Mount inner = mount_at(mounts_inside(), "/x/inner");
  for (const char* option : {"ro", "nosuid", "nodev", "noexec", "nodiratime", "noatime"})
    EXPECT_FALSE(inner.has(option)) << option;
}

TEST_F(RecursiveWords, SetTheRestOfTheAttributesThroughout) {
  NEEDS_WORD("rnosymfollow");
  mount_inner(0);
  bundle.mount("/x", "bind", source(), {"rbind", "rnosymfollow", "rnodiratime", "rstrictatime"});
  const Mount inner = mount_at(mounts_inside(), "/x/inner");
  EXPECT_TRUE(inner.has("nosymfollow") && inner.has("nodiratime")) << join(inner.options, ",");
  EXPECT_FALSE(inner.has("relatime")) << join(inner.options, ",");
}

TEST_F(RecursiveWords, RsymfollowTakesNosymfollowBack) {
  NEEDS_WORD("rsymfollow");
  mount_inner(MS_NOSYMFOLLOW);
  bundle.mount("/x", "bind", source(), {"rbind", "rsymfollow"});
  EXPECT_FALSE(mount_at(mounts_inside(), "/x/inner").has("nosymfollow"));
}

// -- propagation

TEST_F(MountWords, PropagationWordsActInTheirOrder) {
  SPEC("config.md#mounts-linux-options", "rslave, shared: see mount(8), one after the other.");
  const std::string from = source();
  ASSERT_EQ(0, mount(from.c_str(), from.c_str(), nullptr, MS_BIND, nullptr));
  ASSERT_EQ(0, mount(nullptr, from.c_str(), nullptr, MS_SHARED, nullptr));
  bundle.set("linux.rootfsPropagation", "\"rshared\"");
  bundle.mount("/x", "bind", from, {"bind", "slave", "shared"});
  bundle.mount("/y", "bind", from, {"bind", "private", "slave"});
  const std::vector<Mount> mounts = mounts_inside();
  EXPECT_EQ(0, umount2(from.c_str(), MNT_DETACH));
  const Mount both = mount_at(mounts, "/x");
  EXPECT_TRUE(both.is_slave() && both.is_shared()) << join(both.tags, " ");
  const Mount none = mount_at(mounts, "/y");  // a slave of nobody is private
  EXPECT_FALSE(none.is_slave() || none.is_shared()) << join(none.tags, " ");
}

struct HotplugCase {
  const char* name;
  const char* root;  // linux.rootfsPropagation
  std::vector<std::string> options;
  bool arrives, leaves;

  friend void PrintTo(const HotplugCase& wanted, std::ostream* stream) { *stream << wanted.name; }
};

class Hotplug : public MountWords, public ::testing::WithParamInterface<HotplugCase> {
 protected:
  void SetUp() override {
    MountWords::SetUp();
    make_directories(source() + "/host");
    make_directories(source() + "/container");
    ASSERT_EQ(0, mount(source().c_str(), source().c_str(), nullptr, MS_BIND, nullptr));
    ASSERT_EQ(0, mount(nullptr, source().c_str(), nullptr, MS_SHARED, nullptr));
  }
  void TearDown() override {
    umount2((source() + "/host").c_str(), MNT_DETACH);
    umount2((source() + "/container").c_str(), MNT_DETACH);
    EXPECT_EQ(0, umount2(source().c_str(), MNT_DETACH));
    MountWords::TearDown();
  }
};

TEST_P(Hotplug, MountsMadeLaterAreSeenAsAsked) {
  const HotplugCase& wanted = GetParam();
  if (std::string(wanted.name) == "idmapped") NEEDS_MAPPED_TMPFS();
  bundle.set("linux.rootfsPropagation", std::string("\"") + wanted.root + "\"");
  bundle.mount("/x", "bind", source(), wanted.options);
  bundle.append("process.capabilities.bounding", "\"CAP_SYS_ADMIN\"");
  bundle.append("process.capabilities.effective", "\"CAP_SYS_ADMIN\"");
  bundle.append("process.capabilities.permitted", "\"CAP_SYS_ADMIN\"");
  bundle.shell("exec sleep 100");
  Container container(runtime, bundle);
  container.launch();
  ASSERT_EQ(0, mount("tmpfs", (source() + "/host").c_str(), "tmpfs", 0, nullptr));
  write_file(source() + "/host/file", "plugged in\n");
  EXPECT_EQ(wanted.arrives ? "plugged in\n" : "no\n",
            container.exec_shell("cat /x/host/file 2>/dev/null || echo no").out);
  const Outcome inside =
      container.exec_shell("mount -t tmpfs t /x/container && touch /x/container/a");
  ASSERT_OK(inside);
  EXPECT_EQ(wanted.leaves, exists(source() + "/container/a"));
}

INSTANTIATE_TEST_SUITE_P(
    Word, Hotplug,
    ::testing::Values(
        HotplugCase{"rslave", "rslave", {"rbind", "rslave"}, true, false},
        HotplugCase{"slave", "rslave", {"bind", "slave"}, true, false},
        HotplugCase{"rshared", "rshared", {"rbind", "rshared"}, true, true},
        HotplugCase{"rslave_below_shared", "shared", {"rbind", "rslave"}, true, false},
        HotplugCase{"rprivate", "rslave", {"rbind", "rprivate"}, false, false},
        HotplugCase{
            "idmapped", "rslave", {"rbind", "rslave", "idmap=uids=0-7-1;gids=0-7-1"}, true, false}),
    [](const auto& test) { return std::string(test.param.name); });

// -- remount

TEST_F(MountWords, RemountChangesWhatItNamesAndLeavesTheRest) {
  NEEDS_WORD("remount");
  bundle.mount("/x", "bind", source(), {"bind", "nosuid", "nodev"});
  bundle.mount("/x", "bind", "", {"bind", "remount", "ro", "dev"});
  const std::vector<Mount> mounts = mounts_inside();
  const Mount mount = mount_at(mounts, "/x");
  EXPECT_TRUE(mount.has("ro") && mount.has("nosuid")) << join(mount.options, ",");
  EXPECT_FALSE(mount.has("nodev")) << join(mount.options, ",");
  write_file(source() + "/still", "writable");
  EXPECT_FALSE(mount.has_super("ro"));
}

TEST_F(MountWords, RemountWithoutBindChangesTheFileSystem) {
  NEEDS_WORD("remount");
  bundle.mount("/x", "tmpfs", "tmpfs", {"size=1m", "nosuid"});
  bundle.mount("/x", "tmpfs", "tmpfs", {"remount", "size=2m", "ro"});
  const Mount mount = mount_at(mounts_inside(), "/x");
  EXPECT_TRUE(mount.has_super("size=2048k") && mount.has_super("ro") && mount.has("ro"));
  EXPECT_TRUE(mount.has("nosuid"));
}

TEST_F(MountWords, RemountOfWhatIsNoMountIsAnError) {
  NEEDS_WORD("remount");
  bundle.directory("/x");
  bundle.mount("/x", "bind", "", {"bind", "remount", "ro"});
  expect_refused("/x): nothing is mounted there");
}

TEST_F(MountWords, RemountNamesTheOptionThatTheFileSystemDoesNotTake) {
  NEEDS_WORD("remount");
  bundle.mount("/x", "tmpfs", "tmpfs", {});
  bundle.mount("/x", "tmpfs", "tmpfs", {"remount", "nosuchoption"});
  expect_refused("\"nosuchoption\"");
}

// -- symbolic links

class SymlinkWords : public MountWords {
 protected:
  void SetUp() override {
    MountWords::SetUp();
    write_file(source() + "/file", "of the host\n");
    ASSERT_EQ(0, symlink("file", (source() + "/link").c_str()));
  }
  // At /l a link to /of-the-image.
  void link_in_image() {
    bundle.file("/of-the-image", "of the image\n");
    ASSERT_EQ(0, symlink("of-the-image", bundle.rootfs("/l").c_str()));
  }
};

TEST_F(SymlinkWords, ASourceIsFollowedByDefault) {
  bundle.mount("/x", "bind", source() + "/link", {"bind"});
  EXPECT_EQ("no\nof the host\n", run_shell("readlink /x || echo no; cat /x"));
}

TEST_F(SymlinkWords, CopySymlinkMakesTheSameLink) {
  NEEDS_WORD("copy-symlink");
  bundle.mount("/new/x", "bind", source() + "/link", {"bind", "copy-symlink"});
  bundle.mount("/y", "bind", source() + "/file", {"bind", "copy-symlink"});
  EXPECT_EQ("file\nno\nof the host\n",
            run_shell("readlink /new/x; readlink /y || echo no; cat /y"));
}

TEST_F(SymlinkWords, CopySymlinkKeepsTheSameLinkAndRefusesAnother) {
  NEEDS_WORD("copy-symlink");
  ASSERT_EQ(0, symlink("file", bundle.rootfs("/x").c_str()));
  bundle.mount("/x", "bind", source() + "/link", {"bind", "copy-symlink"});
  EXPECT_EQ("file\n", run_shell("readlink /x"));
  link_in_image();
  bundle.mount("/l", "bind", source() + "/link", {"bind", "copy-symlink"});
  expect_refused("something else than a link to file");
}

TEST_F(SymlinkWords, SrcNofollowMountsTheLinkItself) {
  NEEDS_WORD("src-nofollow");
  bundle.mount("/x", "bind", source() + "/link", {"bind", "src-nofollow"});
  EXPECT_EQ("file\n", run_shell("readlink /x"));
}

TEST_F(SymlinkWords, DestNofollowMountsOverTheLink) {
  NEEDS_WORD("dest-nofollow");
  link_in_image();
  bundle.mount("/l", "bind", source() + "/file", {"bind", "dest-nofollow"});
  EXPECT_EQ("of the host\nof the image\n", run_shell("cat /l /of-the-image"));
}

TEST_F(SymlinkWords, BothMountALinkOverALink) {
  NEEDS_WORD("dest-nofollow");
  link_in_image();
  bundle.mount("/l", "bind", source() + "/link", {"bind", "src-nofollow", "dest-nofollow"});
  EXPECT_EQ("file\nof the image\n", run_shell("readlink /l; cat /of-the-image"));
}

TEST_F(SymlinkWords, DestNofollowRefusesADirectoryOverALink) {
  NEEDS_WORD("dest-nofollow");
  link_in_image();
  bundle.mount("/l", "bind", source(), {"bind", "dest-nofollow"});
  expect_refused("/l): its destination is a symbolic link");
}

// -- refusals of file systems

TEST_F(MountWords, TheOptionThatAFileSystemDoesNotTakeIsNamed) {
  bundle.mount("/x", "tmpfs", "tmpfs", {"size=1m", "nosuchoption=7", "mode=700"});
  expect_refused("tmpfs does not take the option \"nosuchoption=7\"");
}

TEST_F(MountWords, AValueThatAFileSystemDoesNotTakeIsNamed) {
  bundle.mount("/x", "tmpfs", "tmpfs", {"nr_inodes=10", "size=large"});
  expect_refused("tmpfs does not take the option \"size=large\"");
}

TEST_F(MountWords, CgroupNamesTheOptionThatItDoesNotTake) {
  bundle.mount("/sys/fs/cgroup", "cgroup", "cgroup", {"ro", "nosuchoption"});
  bundle.with_namespace("cgroup");
  expect_refused("does not take the option \"nosuchoption\"");
}

TEST_F(MountWords, Cgroup2TakesItsOwnOptions) {
  NEEDS_CGROUP_V2();
  // In a cgroup namespace the kernel takes the word and changes nothing for the host.
  bundle.mount("/sys/fs/cgroup", "cgroup", "cgroup", {"ro", "nsdelegate"});
  bundle.with_namespace("cgroup");
  EXPECT_EQ("cgroup2", mount_at(mounts_inside(), "/sys/fs/cgroup").type);
}

}  // namespace
}  // namespace harness
