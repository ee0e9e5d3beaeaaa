#include <gmock/gmock.h>
// <sys/mount.h> of glibc has MOUNT_ATTR_*, and clashes with <linux/mount.h>.
#include <sys/mount.h>

#include "src/base/text.h"
#include "src/container/draft_mounts_fixture.h"

namespace ocirt::container {
namespace {

using enum oci::NamespaceType;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(DraftMounts, KeepTheirOrderAndTheirPlaceInTheConfiguration) {
  spec.mounts = {{.destination = "/b", .type = "tmpfs"}, {.destination = "/a", .type = "tmpfs"}};
  DraftReader draft = read();
  auto mounts = draft.list(draft.plan().mounts);
  ASSERT_EQ(mounts.size(), 2u);
  EXPECT_EQ(draft.text(mounts[0].destination), "/b");
  EXPECT_EQ(mounts[0].index, 0u);
  EXPECT_EQ(draft.text(mounts[1].destination), "/a");
  EXPECT_EQ(mounts[1].index, 1u);
}

// -- file systems

TEST_F(DraftMounts, FileSystemHasTypeSourceFlagsAndItsOwnOptions) {
  plan::Mount one = mount({.destination = "/tmp",
                           .type = "tmpfs",
                           .source = "scratch",
                           .options = {"nosuid", "nodev", "ro", "size=64m", "mode=1777"}});
  EXPECT_EQ(one.kind, plan::MountKind::filesystem);
  EXPECT_EQ(text(one.type), "tmpfs");
  EXPECT_EQ(text(one.source), "scratch");
  EXPECT_EQ(text(one.destination), "/tmp");
  EXPECT_EQ(one.flags, uint64_t{MS_NOSUID | MS_NODEV | MS_RDONLY});
  EXPECT_EQ(text(one.data), "size=64m,mode=1777");
  EXPECT_EQ(one.propagation.count, 0u);
  EXPECT_FALSE(one.seal_later);
}

TEST_F(DraftMounts, FileSystemWithoutASourceIsNamedAfterItsType) {
  EXPECT_EQ(text(mount({.destination = "/dev/mqueue", .type = "mqueue"}).source), "mqueue");
  plan::Mount empty = mount({.destination = "/dev/mqueue", .type = "mqueue", .source = ""});
  EXPECT_EQ(text(empty.source), "mqueue");
  EXPECT_FALSE(empty.data.given());
}

TEST_F(DraftMounts, ProcfsOfAJoinedPidNamespaceIsThereAFewTimesOnly) {
  for (const char* place : {"/proc", "/a", "/b", "/c", "/d"}) {
    spec.mounts.push_back({.destination = place, .type = "proc"});
  }
  EXPECT_EQ(refusal(), "");
  for (oci::Namespace& ns : spec.linux->namespaces) {
    if (ns.type == kPid) ns.path = "/proc/1/ns/pid";
  }
  EXPECT_THAT(refusal(), HasSubstr("mounts: more than 4 of type proc together with a joined pid"));
  spec.mounts.pop_back();
  EXPECT_EQ(refusal(), "");
}

// However it is spelled, init has to see that it is below /proc.
TEST_F(DraftMounts, DestinationIsPlannedWithoutDetours) {
  for (const char* spelled :
       {"//proc/self/attr", "/./proc//self/attr", "/tmp/../proc/self/attr/"}) {
    EXPECT_EQ(text(mount({.destination = spelled, .type = "tmpfs"}).destination),
              "/proc/self/attr");
  }
}

TEST_F(DraftMounts, RelativeDestinationIsTakenFromTheTop) {
  EXPECT_EQ(text(mount({.destination = "tmp/x", .type = "tmpfs"}).destination), "/tmp/x");
}

TEST_F(DraftMounts, WordsForATreeHoldForANewFileSystemToo) {
  plan::Mount one = mount(
      {.destination = "/t", .type = "tmpfs", .options = {"rro", "rnosuid", "rnodev", "rnoexec"}});
  EXPECT_EQ(one.flags, uint64_t{MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC});
}

TEST_F(DraftMounts, AccessTimesOfATreeHoldForANewFileSystemToo) {
  auto flags = [&](std::vector<std::string> options) {
    return mount({.destination = "/t", .type = "tmpfs", .options = std::move(options)}).flags;
  };
  EXPECT_EQ(flags({"rnoatime"}), uint64_t{MS_NOATIME});
  EXPECT_EQ(flags({"rstrictatime"}), uint64_t{MS_STRICTATIME});
  EXPECT_EQ(flags({"rrelatime"}), 0u);  // the kernel's default
  EXPECT_EQ(flags({"rnodiratime"}), uint64_t{MS_NODIRATIME});
}

TEST_F(DraftMounts, LaterWordForATreeTakesAnEarlierOneAway) {
  auto flags = [&](std::vector<std::string> options) {
    return mount({.destination = "/t", .type = "tmpfs", .options = std::move(options)}).flags;
  };
  EXPECT_EQ(flags({"ro", "nosuid", "rrw"}), uint64_t{MS_NOSUID});
  EXPECT_EQ(flags({"rro", "rrw"}), 0u);
}

TEST_F(DraftMounts, TmpfsWithoutAModeTakesThatOfWhatItCovers) {
  EXPECT_TRUE(mount({.destination = "/t", .type = "tmpfs"}).mode_from_target);
  EXPECT_TRUE(
      mount({.destination = "/t", .type = "tmpfs", .options = {"size=1m"}}).mode_from_target);
  EXPECT_FALSE(mount({.destination = "/t", .type = "tmpfs", .options = {"size=1m", "mode=700"}})
                   .mode_from_target);
  EXPECT_FALSE(mount({.destination = "/t", .type = "mqueue"}).mode_from_target);
}

TEST_F(DraftMounts, TmpfsIsFilledWithWhatItCoversWhenAskedFor) {
  plan::Mount one = mount({.destination = "/t", .type = "tmpfs", .options = {"tmpcopyup"}});
  EXPECT_TRUE(one.copy_up);
  EXPECT_FALSE(one.data.given());
  EXPECT_FALSE(mount({.destination = "/t", .type = "tmpfs"}).copy_up);
  EXPECT_EQ(refused({.destination = "/t", .type = "mqueue", .options = {"tmpcopyup"}}),
            "config.json: mounts[1].options: tmpcopyup needs the type tmpfs, found \"mqueue\"");
}

// CVE-2019-16884, CVE-2021-30465 and their kind: an image may have a symlink there.
TEST_F(DraftMounts, ProcAndSysfsWantARealDirectory) {
  EXPECT_TRUE(mount({.destination = "/proc", .type = "proc"}).real_directory);
  EXPECT_TRUE(mount({.destination = "/sys", .type = "sysfs"}).real_directory);
  EXPECT_FALSE(mount({.destination = "/tmp", .type = "tmpfs"}).real_directory);
}

TEST_F(DraftMounts, ReadOnlyDevIsSealedWhenItsNodesAreMade) {
  plan::Mount dev = mount({.destination = "/dev/", .type = "tmpfs", .options = {"ro"}});
  EXPECT_TRUE(dev.seal_later);
  EXPECT_TRUE((dev.flags & MS_RDONLY) != 0);
  EXPECT_FALSE(mount({.destination = "/dev", .type = "tmpfs"}).seal_later);
  EXPECT_FALSE(mount({.destination = "/dev/shm", .type = "tmpfs", .options = {"ro"}}).seal_later);
}

TEST_F(DraftMounts, PropagationsKeepTheirOrder) {
  auto words = [&](oci::Mount from) {
    plan::Mount one = mount(std::move(from));
    auto list = reader_->list(one.propagation);
    return std::vector<uint32_t>(list.begin(), list.end());
  };
  EXPECT_THAT(words({.destination = "/t", .type = "tmpfs", .options = {"rslave"}}),
              ElementsAre(uint32_t{MS_SLAVE | MS_REC}));
  EXPECT_THAT(words({.destination = "/t", .source = "/s", .options = {"bind", "slave", "shared"}}),
              ElementsAre(uint32_t{MS_SLAVE}, uint32_t{MS_SHARED}));
}

TEST_F(DraftMounts, RelativeDestinationIsTakenFromTheRoot) {
  mount({.destination = "proc/stat", .type = "tmpfs"});
  EXPECT_EQ(text(reader_->list(reader_->plan().mounts)[0].destination), "/proc/stat");
  spec.mounts = {{.destination = "dev", .source = "/dev", .options = {"rbind"}}};
  EXPECT_FALSE(read().plan().make_devices);
}

// -- remount

TEST_F(DraftMounts, RemountWithBindNamesAttributesOfTheMountOnly) {
  plan::Mount one = mount({.destination = "/t", .options = {"bind", "remount", "ro", "exec"}});
  EXPECT_EQ(one.kind, plan::MountKind::remount);
  EXPECT_EQ(one.attr_set, uint64_t{MOUNT_ATTR_RDONLY});
  EXPECT_EQ(one.attr_clear, uint64_t{MOUNT_ATTR_NOEXEC});
  EXPECT_FALSE(one.data.given());
}

TEST_F(DraftMounts, RemountWithoutBindIsForTheFileSystemToo) {
  plan::Mount one =
      mount({.destination = "/t", .type = "tmpfs", .options = {"remount", "ro", "size=1m"}});
  EXPECT_EQ(one.kind, plan::MountKind::remount);
  EXPECT_EQ(one.attr_set, uint64_t{MOUNT_ATTR_RDONLY});
  EXPECT_EQ(text(one.data), "ro,size=1m");
}

TEST_F(DraftMounts, WordsThatContradictEachOtherAreRefused) {
  const std::pair<std::vector<std::string>, const char*> kRows[] = {
      {{"bind", "remount", "idmap"}, "nothing can be said about its source"},
      {{"bind", "remount", "copy-symlink"}, "nothing can be said about its source"},
      {{"bind", "remount", "src-nofollow"}, "nothing can be said about its source"},
      {{"bind", "remount", "size=1m"}, "takes no \"size=1m\""},
      {{"remount", "iversion"}, "iversion"},
      {{"remount", "noacl"}, "acl cannot be changed"},
      {{"remount", "tmpcopyup"}, "tmpcopyup"},
      {{"bind", "tmpcopyup"}, "tmpcopyup"},
      {{"bind", "copy-symlink", "src-nofollow"}, "copy-symlink goes with neither"},
      {{"bind", "copy-symlink", "dest-nofollow"}, "copy-symlink goes with neither"},
      {{"copy-symlink"}, "need a bind mount"},
      {{"src-nofollow"}, "need a bind mount"},
      {{"idmap", "tmpcopyup"}, "ids cannot be mapped with tmpcopyup"},
  };
  for (const auto& [options, why] : kRows) {
    const std::string said =
        refused({.destination = "/t", .type = "tmpfs", .source = "/s", .options = options});
    EXPECT_THAT(said, testing::StartsWith("config.json: mounts[1].options: "));
    EXPECT_THAT(said, HasSubstr(why));
  }
}

TEST_F(DraftMounts, MountLabelIsAnOptionOfNewFileSystemsThatTakeIt) {
  input.modules.selinux = true;
  spec.linux->mount_label = "u:r:t:s0:c1,c2";
  EXPECT_EQ(text(mount({.destination = "/t", .type = "tmpfs", .options = {"size=1m"}}).data),
            "size=1m,context=\"u:r:t:s0:c1,c2\"");
  input.annotations.mount_context_type = "rootcontext";
  EXPECT_EQ(text(mount({.destination = "/t", .type = "tmpfs"}).data),
            "rootcontext=\"u:r:t:s0:c1,c2\"");
  input.annotations.mount_context_type = "context";
  EXPECT_EQ(text(mount({.destination = "/dev/pts", .type = "devpts"}).data),
            "context=\"u:r:t:s0:c1,c2\"");
  EXPECT_FALSE(mount({.destination = "/proc", .type = "proc"}).data.given());
  EXPECT_FALSE(mount({.destination = "/b", .source = "/s", .options = {"bind"}}).data.given());
  EXPECT_EQ(text(reader_->plan().mask_data), "nr_blocks=1,nr_inodes=1,context=\"u:r:t:s0:c1,c2\"");
  const plan::Mount queue = mount({.destination = "/dev/mqueue", .type = "mqueue"});
  EXPECT_FALSE(queue.data.given());
  EXPECT_EQ(text(queue.root_label), "u:r:t:s0:c1,c2");
  spec.linux->mount_label.reset();
  EXPECT_FALSE(mount({.destination = "/dev/mqueue", .type = "mqueue"}).root_label.given());
  EXPECT_EQ(text(reader_->plan().mask_data), "nr_blocks=1,nr_inodes=1");
}

TEST_F(DraftMounts, WithoutATypeIsRefused) {
  EXPECT_EQ(refused({.destination = "/t"}),
            "config.json: mounts[1].type: needed unless the mount is a bind mount");
}

// -- bind mounts

TEST_F(DraftMounts, BindIsRecognisedByItsOptionOrItsType) {
  plan::Mount by_option = mount({.destination = "/t", .source = "/src", .options = {"bind"}});
  EXPECT_EQ(by_option.kind, plan::MountKind::bind);
  EXPECT_EQ(text(by_option.source), "/src");
  EXPECT_FALSE(by_option.recursive);
  EXPECT_EQ(mount({.destination = "/t", .type = "bind", .source = "/src"}).kind,
            plan::MountKind::bind);
  // config.md: the type of a bind mount is ignored.
  plan::Mount typed =
      mount({.destination = "/t", .type = "tmpfs", .source = "/src", .options = {"rbind"}});
  EXPECT_EQ(typed.kind, plan::MountKind::bind);
  EXPECT_TRUE(typed.recursive);
  EXPECT_FALSE(typed.mode_from_target);
}

TEST_F(DraftMounts, RelativeSourceIsTakenFromTheBundle) {
  EXPECT_EQ(text(mount({.destination = "/t", .source = "data", .options = {"bind"}}).source),
            "/bundle/data");
}

TEST_F(DraftMounts, BindHasAttributesOfTheMountAlone) {
  plan::Mount one =
      mount({.destination = "/t", .source = "/s", .options = {"bind", "ro", "nosuid", "exec"}});
  EXPECT_EQ(one.attr_set, uint64_t{MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID});
  EXPECT_EQ(one.attr_clear, uint64_t{MOUNT_ATTR_NOEXEC});
  EXPECT_EQ(one.recursive_attr_set, 0u);
  EXPECT_EQ(one.flags, 0u);
}

TEST_F(DraftMounts, BindHasAttributesOfTheTreeApart) {
  plan::Mount one =
      mount({.destination = "/t", .source = "/s", .options = {"rbind", "rro", "rsuid"}});
  EXPECT_EQ(one.attr_set, 0u);
  EXPECT_EQ(one.recursive_attr_set, uint64_t{MOUNT_ATTR_RDONLY});
  EXPECT_EQ(one.recursive_attr_clear, uint64_t{MOUNT_ATTR_NOSUID});
}

TEST_F(DraftMounts, BindNeedsASource) {
  EXPECT_EQ(refused({.destination = "/t", .options = {"bind"}}),
            "config.json: mounts[1].source: a bind mount needs one");
  EXPECT_EQ(refused({.destination = "/t", .type = "bind", .source = ""}),
            "config.json: mounts[1].source: a bind mount needs one");
}

TEST_F(DraftMounts, BindTakesNoOptionsOfAFileSystem) {
  EXPECT_EQ(
      refused({.destination = "/t", .source = "/s", .options = {"bind", "size=1m", "mode=1"}}),
      "config.json: mounts[1].options: a bind mount takes no \"size=1m,mode=1\"");
}

TEST_F(DraftMounts, DevFromOutsideIsUsedAsItIs) {
  EXPECT_TRUE(read().plan().make_devices);
  spec.mounts = {{.destination = "/dev", .type = "tmpfs"}};
  EXPECT_TRUE(read().plan().make_devices);
  spec.mounts = {{.destination = "/dev/shm", .source = "/s", .options = {"bind"}}};
  EXPECT_TRUE(read().plan().make_devices);
  spec.mounts = {{.destination = "/dev/", .source = "/dev", .options = {"rbind"}},
                 {.destination = "/tmp", .type = "tmpfs"}};
  EXPECT_FALSE(read().plan().make_devices);
}

TEST_F(DraftMounts, WordsAboutSymbolicLinksArriveInThePlan) {
  plan::Mount none = mount({.destination = "/t", .source = "/s", .options = {"bind"}});
  EXPECT_FALSE(none.copy_symlink || none.source_nofollow || none.destination_nofollow);
  EXPECT_TRUE(mount({.destination = "/t", .source = "/s", .options = {"bind", "copy-symlink"}})
                  .copy_symlink);
  plan::Mount both = mount(
      {.destination = "/t", .source = "/s", .options = {"bind", "src-nofollow", "dest-nofollow"}});
  EXPECT_TRUE(both.source_nofollow && both.destination_nofollow);
}

TEST_F(DraftMounts, OptionsOfAFileSystemOnABindAreWarnedOf) {
  spec.mounts = {{.destination = "/t", .source = "/s", .options = {"bind", "sync", "ro"}}};
  EXPECT_THAT(read().draft.warnings,
              ElementsAre("mounts[0] (/t): \"sync\" has no effect on a bind mount: it is of the "
                          "file system"));
}

TEST_F(DraftMounts, MappedIdsAreForOcirtToPrepare) {
  spec.mounts = {{.destination = "/a", .type = "tmpfs"},
                 {.destination = "/t",
                  .source = "data",
                  .options = {"rbind", "ridmap"},
                  .uid_mappings = {{0, 1000, 10}},
                  .gid_mappings = {{0, 2000, 20}}}};
  DraftReader draft = read();
  ASSERT_EQ(draft.draft.trees.size(), 1u);
  const MountTree& tree = draft.draft.trees[0];
  EXPECT_EQ(tree.mount, 1u);
  EXPECT_EQ(tree.source, "/bundle/data");
  EXPECT_EQ(tree.maps.uids, "0 1000 10\n");
  EXPECT_EQ(tree.maps.gids, "0 2000 20\n");
  EXPECT_TRUE(tree.maps_recursively);
  spec.mounts[1].options = {"bind"};
  EXPECT_FALSE(read().draft.trees.at(0).maps_recursively);
  spec.mounts[1].uid_mappings = spec.mounts[1].gid_mappings = {};
  EXPECT_TRUE(read().draft.trees.empty());
}

TEST_F(DraftMounts, FileSystemsWithMappedIdsAreForOcirtToMake) {
  plan::Mount one = mount({.destination = "/t",
                           .type = "tmpfs",
                           .options = {"idmap=uids=0-1000-1;gids=0-1000-1", "ro", "size=1m"}});
  EXPECT_EQ(one.kind, plan::MountKind::bind);
  EXPECT_EQ(one.attr_set, uint64_t{MOUNT_ATTR_RDONLY});
  EXPECT_TRUE(one.mode_from_target);
  const MountTree& tree = reader_->draft.trees.at(0);
  EXPECT_EQ(tree.type, "tmpfs");
  EXPECT_THAT(tree.options, ElementsAre("size=1m"));
  EXPECT_TRUE(tree.maps.given());
}

}  // namespace
}  // namespace ocirt::container
