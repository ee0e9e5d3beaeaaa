// config.md, "Mounts", uidMappings, gidMappings, idmap and ridmap: owners as they are seen inside.
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/fixture.h"

namespace harness {
namespace {

class IdMappedMounts : public ContainerTest {
 protected:
  void SetUp() override {
    ContainerTest::SetUp();
    if (!contains(features()["mountOptions"].strings(), "idmap"))
      GTEST_SKIP() << "the runtime does not list idmap in `features`";
    make_directories(source());
    own("file", 3, 4);
  }
  void TearDown() override {
    if (inner_) {
      EXPECT_EQ(0, umount2((source() + "/inner").c_str(), MNT_DETACH));
    }
    ContainerTest::TearDown();
  }
  std::string source() { return scratch() + "/source"; }
  void own(const std::string& name, unsigned uid, unsigned gid) {
    write_file(source() + "/" + name, "x");
    ASSERT_EQ(0, chown((source() + "/" + name).c_str(), uid, gid));
  }
  // A tmpfs in the source, with a file of the same owner.
  void mount_inner() {
    make_directories(source() + "/inner");
    ASSERT_EQ(0, mount("tmpfs", (source() + "/inner").c_str(), "tmpfs", 0, nullptr));
    inner_ = true;
    own("inner/file", 3, 4);
  }
  // The mount at /x, with the mappings as properties.
  void map_by_fields(const std::string& options) {
    bundle.append("mounts",
                  R"({"destination": "/x", "type": "bind", "source": ")" + source() +
                      R"(", "options": )" + options +
                      R"(, "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 10}],
                                   "gidMappings": [{"containerID": 0, "hostID": 2000, "size": 10}]})");
  }
  void expect_refused(std::string_view part) {
    Container container(runtime, bundle);
    EXPECT_FAILS(container.create(), 1, part);
    EXPECT_TRUE(names_in(runtime.root()).empty());
    EXPECT_TRUE(cgroups::leftovers().empty());
  }
  bool inner_ = false;
};

TEST_F(IdMappedMounts, ShowOwnersThroughTheMappingsOfTheMount) {
  NEEDS_MAPPED_TMPFS();
  SPEC("config.md#mounts", "uidMappings: from the source file system to the destination mount.");
  map_by_fields(R"(["bind", "idmap"])");
  EXPECT_EQ("1003 2004\n", run_shell("stat -c '%u %g' /x/file"));
}

TEST_F(IdMappedMounts, AreMadeForMappingsWithoutTheWordToo) {
  NEEDS_MAPPED_TMPFS();
  map_by_fields(R"(["bind"])");
  EXPECT_EQ("1003 2004\n", run_shell("stat -c '%u %g' /x/file"));
}

TEST_F(IdMappedMounts, TakeNewFilesBackThroughTheMapping) {
  NEEDS_MAPPED_TMPFS();
  map_by_fields(R"(["bind", "idmap"])");
  bundle.set("process.user", R"({"uid": 1005, "gid": 2006})");
  ASSERT_EQ(0, chmod(source().c_str(), 0777));
  run_shell("echo new > /x/new");
  struct stat status{};
  ASSERT_EQ(0, stat((source() + "/new").c_str(), &status));
  EXPECT_EQ(5u, status.st_uid);
  EXPECT_EQ(6u, status.st_gid);
}

TEST_F(IdMappedMounts, ShowNobodyForOwnersWithoutAMapping) {
  NEEDS_MAPPED_TMPFS();
  own("other", 77, 77);
  map_by_fields(R"(["bind", "idmap"])");
  EXPECT_EQ("65534 65534\n", run_shell("stat -c '%u %g' /x/other"));
}

TEST_F(IdMappedMounts, TakeTheMappingFromTheOptionToo) {
  NEEDS_MAPPED_TMPFS();
  bundle.mount("/x", "bind", source(), {"bind", "idmap=uids=0-50-3#3-500-1;gids=0-60-10"});
  EXPECT_EQ("500 64\n", run_shell("stat -c '%u %g' /x/file"));
}

TEST_F(IdMappedMounts, OfATreeAreMappedOnTheTopOnlyWithIdmap) {
  NEEDS_MAPPED_TMPFS();
  mount_inner();
  map_by_fields(R"(["rbind", "idmap"])");
  EXPECT_EQ("1003\n3\n", run_shell("stat -c %u /x/file /x/inner/file"));
}

TEST_F(IdMappedMounts, OfATreeAreMappedThroughoutWithRidmap) {
  NEEDS_MAPPED_TMPFS();
  SPEC("config.md#mounts-linux-options", "ridmap: the mapping applies recursively.");
  mount_inner();
  map_by_fields(R"(["rbind", "ridmap"])");
  EXPECT_EQ("1003\n1003\n", run_shell("stat -c %u /x/file /x/inner/file"));
}

TEST_F(IdMappedMounts, HaveTheOtherOptionsAsWell) {
  NEEDS_MAPPED_TMPFS();
  map_by_fields(R"(["bind", "idmap", "ro", "nosuid", "rprivate"])");
  const Mount mount = mount_at(mounts_inside(), "/x");
  EXPECT_TRUE(mount.has("ro") && mount.has("nosuid") && mount.has("idmapped"));
  EXPECT_FALSE(mount.is_slave() || mount.is_shared());
}

TEST_F(IdMappedMounts, CanBeOfAFile) {
  NEEDS_MAPPED_TMPFS();
  bundle.mount("/f", "bind", source() + "/file", {"bind", "idmap=uids=3-8-1;gids=4-9-1"});
  EXPECT_EQ("8 9\n", run_shell("stat -c '%u %g' /f"));
}

TEST_F(IdMappedMounts, AreKeptAmongManyOthers) {
  NEEDS_MAPPED_TMPFS();
  // Init closes what it no longer needs now and then; the trees are not among that.
  for (int i = 0; i < 100; ++i)
    bundle.mount("/many/" + std::to_string(i), "tmpfs", "tmpfs", {"size=4k"});
  map_by_fields(R"(["bind", "idmap"])");
  bundle.mount("/y", "bind", source(), {"bind", "idmap=uids=3-8-1;gids=4-9-1"});
  EXPECT_EQ("1003\n8\n", run_shell("stat -c %u /x/file /y/file"));
}

TEST_F(IdMappedMounts, LeaveNoDescriptorInTheContainer) {
  NEEDS_MAPPED_TMPFS();
  map_by_fields(R"(["bind", "idmap"])");
  EXPECT_EQ("0\n1\n2\n3\n", run_shell("ls /proc/self/fd")) << "3 is ls's own";
}

TEST_F(IdMappedMounts, OfAFileSystemThatCannotAreRefusedWithItsNameBeforeAnythingIsMade) {
  bundle.mount("/x", "bind", "/proc/sys", {"bind", "idmap=uids=0-1-1;gids=0-1-1"});
  expect_refused("mounts[5] (/x): the file system of /proc/sys, proc, cannot map ids");
}

TEST_F(IdMappedMounts, WithoutAnyMappingAreRefused) {
  SPEC("config.md#mounts-linux-options",
       "idmap: without mappings and without a user namespace the runtime MUST return an error.");
  bundle.mount("/x", "bind", source(), {"bind", "idmap"});
  expect_refused("(/x): idmap needs uidMappings and gidMappings");
}

TEST_F(IdMappedMounts, WithRangesThatOverlapAreRefused) {
  bundle.mount("/x", "bind", source(), {"bind", "idmap=uids=0-1-5#2-3-5;gids=0-1-1"});
  expect_refused("(/x): uid_map: ranges overlap");
}

TEST_F(IdMappedMounts, CanBeOfANewFileSystem) {
  NEEDS_MAPPED_TMPFS();
  // Its owner is the host's root.
  ASSERT_EQ(0, chmod(bundle.directory("/x").rootfs("/x").c_str(), 01750));
  bundle.mount("/x", "tmpfs", "scratch", {"idmap=uids=0-1000-10;gids=0-2000-10", "size=1m", "ro"});
  bundle.append(
      "mounts",
      R"({"destination": "/y", "type": "tmpfs", "source": "tmpfs", "options": ["mode=711"],
                    "uidMappings": [{"containerID": 0, "hostID": 3000, "size": 10}],
                    "gidMappings": [{"containerID": 0, "hostID": 4000, "size": 10}]})");
  EXPECT_EQ("1000 2000 1750\n3000 4000 711\nscratch /x tmpfs ro\n",
            run_shell("stat -c '%u %g %a' /x /y; "
                      "grep ' /x ' /proc/mounts | cut -d, -f1 | grep -o 'scratch /x tmpfs ro'"));
}

TEST_F(IdMappedMounts, OfANewFileSystemThatCannotOrTakesNoSuchOptionAreRefused) {
  bundle.mount("/x", "ramfs", "ramfs", {"idmap=uids=0-1-1;gids=0-1-1"});
  expect_refused("(/x): the file system ramfs cannot map ids");
  bundle.without_mount("/x").mount("/x", "tmpfs", "tmpfs",
                                   {"idmap=uids=0-1-1;gids=0-1-1", "colour=red"});
  expect_refused("(/x): tmpfs does not take the option \"colour=red\" (tmpfs: Unknown parameter");
}

// A container with ids 0 to 65535 inside that are 100000 and on outside.
class IdMappedMountsInUserNamespaces : public IdMappedMounts {
 protected:
  void SetUp() override {
    IdMappedMounts::SetUp();
    NEEDS_NAMESPACE("user");
    bundle.with_namespace("user");
    for (const char* map : {"linux.uidMappings", "linux.gidMappings"})
      bundle.set(map, R"([{"containerID": 0, "hostID": 100000, "size": 65536}])");
    // As engines do it: the container's root makes the places to mount on.
    ASSERT_EQ(0, chown(bundle.rootfs().c_str(), 100000, 100000));
  }
};

TEST_F(IdMappedMountsInUserNamespaces, ShowTheOwnersOfTheHostAsTheContainersByItsMappings) {
  NEEDS_MAPPED_TMPFS();
  SPEC("config.md#mounts-linux-options",
       "idmap: If no mapping is specified, the container's mapping is used.");
  bundle.mount("/x", "bind", source(), {"bind", "idmap"});
  bundle.mount("/plain", "bind", source(), {"bind"});
  EXPECT_EQ("3 4\n65534 65534\n", run_shell("stat -c '%u %g' /x/file /plain/file"));
}

TEST_F(IdMappedMountsInUserNamespaces, TakeNewFilesBackToTheHostsOwners) {
  NEEDS_MAPPED_TMPFS();
  bundle.mount("/x", "bind", source(), {"bind", "idmap"});
  run_shell("echo new > /x/new; chown 5:6 /x/new");
  struct stat status{};
  ASSERT_EQ(0, stat((source() + "/new").c_str(), &status));
  EXPECT_EQ(5u, status.st_uid);
  EXPECT_EQ(6u, status.st_gid);
}

TEST_F(IdMappedMountsInUserNamespaces, HaveMappingsOfTheirOwnToo) {
  NEEDS_MAPPED_TMPFS();
  // hostID counts on the host: 100007 is the container's 7.
  bundle.append("mounts", R"({"destination": "/x", "type": "bind", "source": ")" + source() +
                              R"(", "options": ["bind", "idmap"],
                              "uidMappings": [{"containerID": 3, "hostID": 100007, "size": 1}],
                              "gidMappings": [{"containerID": 4, "hostID": 100008, "size": 1}]})");
  bundle.mount("/y", "bind", source(), {"bind", "idmap=uids=3-100009-1;gids=4-100010-1"});
  bundle.mount("/z", "bind", source(), {"bind", "idmap=uids=@3-11-1;gids=@4-12-1"});
  EXPECT_EQ("7 8\n9 10\n11 12\n", run_shell("stat -c '%u %g' /x/file /y/file /z/file"));
}

TEST_F(IdMappedMountsInUserNamespaces, OfATreeAreMappedThroughoutWithRidmap) {
  NEEDS_MAPPED_TMPFS();
  mount_inner();
  bundle.mount("/x", "bind", source(), {"rbind", "ridmap"});
  bundle.mount("/y", "bind", source(), {"rbind", "idmap"});
  EXPECT_EQ("3\n3\n3\n65534\n",
            run_shell("stat -c %u /x/file /x/inner/file /y/file /y/inner/file"));
}

TEST_F(IdMappedMountsInUserNamespaces, CanBeOfANewFileSystem) {
  NEEDS_MAPPED_TMPFS();
  bundle.mount("/x", "tmpfs", "tmpfs", {"idmap"});
  bundle.mount("/y", "tmpfs", "tmpfs", {"idmap=uids=@0-7-1;gids=@0-8-1"});
  EXPECT_EQ("0 0\n7 8\nwritten\n",
            run_shell("stat -c '%u %g' /x /y; echo x > /x/file && echo written"));
}

TEST_F(IdMappedMountsInUserNamespaces, TakeTheMappingsOfAJoinedOne) {
  NEEDS_MAPPED_TMPFS();
  bundle.shell("exec sleep 100");
  Container first(runtime, bundle);
  first.launch();
  Bundle joining(scratch() + "/joining");
  joining.directory("/x");
  joining.with_namespace("user", "/proc/" + std::to_string(first.pid()) + "/ns/user");
  joining.mount("/x", "bind", source(), {"bind", "idmap"}).shell("stat -c '%u %g' /x/file");
  Container second(runtime, joining);
  const Outcome outcome = second.run();
  EXPECT_OK(outcome);
  EXPECT_EQ("3 4\n", outcome.out);
}

TEST_F(IdMappedMounts, NeedTheirSource) {
  bundle.mount("/x", "bind", scratch() + "/absent", {"bind", "idmap=uids=0-1-5;gids=0-1-1"});
  expect_refused("the source of the bind mount, " + scratch() + "/absent, is not there");
}

}  // namespace
}  // namespace harness
