// `mounts add` and `mounts remove`, which crun has beyond the specification: mounts of a container
// that runs, seen from inside.
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/fixture.h"

namespace harness {
namespace {

class MountsCommand : public ContainerTest {
 protected:
  void SetUp() override {
    ContainerTest::SetUp();
    if (runtime.run({"mounts", "--help"}).code != 0) GTEST_SKIP() << "no command mounts";
    make_directories(source());
    write_file(source() + "/file", "of the host\n");
    bundle.directory("/x").shell("exec sleep 100");
  }
  std::string source() { return scratch() + "/source"; }
  Outcome change(const Container& container, const char* action, const std::string& list) {
    Command command;
    command.input = list;
    return runtime.run({"mounts", action, container.id(), "-"}, command);
  }
  Outcome add(const Container& container, const std::string& list) {
    return change(container, "add", list);
  }
  Outcome remove(const Container& container, const std::string& destination) {
    return change(container, "remove", R"([{"destination": ")" + destination + R"("}])");
  }
  std::string bind_at(const std::string& destination, const std::string& options = R"(["bind"])") {
    return R"([{"destination": ")" + destination + R"(", "source": ")" + source() +
           R"(", "options": )" + options + "}]";
  }
  std::vector<Mount> seen_in(const Container& container) {
    return parse_mountinfo(container.exec({"cat", "/proc/self/mountinfo"}).out);
  }
};

TEST_F(MountsCommand, AddsWhatIsOnTheHost) {
  Container container(runtime, bundle);
  container.launch();
  ASSERT_OK(add(container, bind_at("/new/place", R"(["rbind", "ro", "nosuid"])")));
  EXPECT_EQ("of the host\n", container.exec_shell("cat /new/place/file").out);
  const Mount mount = mount_at(seen_in(container), "/new/place");
  EXPECT_TRUE(mount.has("ro") && mount.has("nosuid"));
}

TEST_F(MountsCommand, ReadsTheListFromAFileWithSeveralEntries) {
  Container container(runtime, bundle);
  container.launch();
  write_file(scratch() + "/list.json",
             R"([{"destination": "/t", "type": "tmpfs", "source": "scratch",
                  "options": ["size=1m", "mode=1770", "noexec", "ro"]},
                 {"destination": "t2", "type": "tmpfs"},
                 {"destination": "/q", "type": "mqueue"},
                 {"destination": "/f", "source": ")" +
                 source() + R"(/file", "options": ["bind"]}])");
  ASSERT_OK(runtime.run({"mounts", "add", container.id(), scratch() + "/list.json"}));
  const std::vector<Mount> mounts = seen_in(container);
  const Mount tmpfs = mount_at(mounts, "/t");
  EXPECT_EQ("scratch", tmpfs.source);
  EXPECT_TRUE(tmpfs.has_super("size=1024k") && tmpfs.has_super("mode=1770"));
  EXPECT_TRUE(tmpfs.has("noexec") && tmpfs.has("ro"));
  EXPECT_EQ("tmpfs", mount_at(mounts, "/t2").type);
  EXPECT_EQ("mqueue", mount_at(mounts, "/q").type);
  EXPECT_EQ("of the host\n", container.exec_shell("cat /f").out);
}

TEST_F(MountsCommand, MapsIds) {
  NEEDS_MAPPED_TMPFS();
  ASSERT_EQ(0, chown((source() + "/file").c_str(), 3, 4));
  Container container(runtime, bundle);
  container.launch();
  ASSERT_OK(add(container, bind_at("/x", R"(["bind", "idmap=uids=0-10-5;gids=0-20-5"])")));
  EXPECT_EQ("13 24\n", container.exec_shell("stat -c '%u %g' /x/file").out);
}

TEST_F(MountsCommand, AddsPropagationAndRemounts) {
  Container container(runtime, bundle);
  container.launch();
  ASSERT_OK(add(container, R"([{"destination": "/x", "type": "tmpfs", "options": ["rshared"]}])"));
  EXPECT_TRUE(mount_at(seen_in(container), "/x").is_shared());
  ASSERT_OK(add(container, R"([{"destination": "/x", "options": ["bind", "remount", "ro"]}])"));
  EXPECT_TRUE(mount_at(seen_in(container), "/x").has("ro"));
}

TEST_F(MountsCommand, LetsMountsOfTheHostArriveButNoneLeave) {
  ASSERT_EQ(0, mount(source().c_str(), source().c_str(), nullptr, MS_BIND, nullptr));
  ASSERT_EQ(0, mount(nullptr, source().c_str(), nullptr, MS_SHARED, nullptr));
  make_directories(source() + "/later");
  Container container(runtime, bundle);
  container.launch();
  EXPECT_OK(add(container, bind_at("/x", R"(["rbind"])")));
  EXPECT_EQ(0, mount("tmpfs", (source() + "/later").c_str(), "tmpfs", 0, nullptr));
  write_file(source() + "/later/file", "later\n");
  EXPECT_EQ("later\n", container.exec_shell("cat /x/later/file").out);
  EXPECT_OK(add(container, R"([{"destination": "/x/later", "type": "tmpfs"}])"));
  EXPECT_TRUE(exists(source() + "/later/file")) << "the container's mount is on the host";
  umount2((source() + "/later").c_str(), MNT_DETACH);
  EXPECT_EQ(0, umount2(source().c_str(), MNT_DETACH));
}

TEST_F(MountsCommand, RemovesTheTopmostMount) {
  Container container(runtime, bundle);
  container.launch();
  ASSERT_OK(add(container, bind_at("/x")));
  ASSERT_OK(add(container, R"([{"destination": "/x", "type": "tmpfs"}])"));
  ASSERT_OK(remove(container, "/x"));
  EXPECT_EQ("of the host\n", container.exec_shell("cat /x/file").out);
  ASSERT_OK(remove(container, "x/"));
  EXPECT_EQ("no\n", container.exec_shell("cat /x/file 2>/dev/null || echo no").out);
  EXPECT_FAILS(remove(container, "/x"), 1, "(/x): nothing is mounted there");
  EXPECT_FAILS(remove(container, "/"), 1, "the root cannot be taken away");
  EXPECT_FAILS(remove(container, "/absent"), 1, "(/absent)");
}

TEST_F(MountsCommand, RemovesTheMountOfAFile) {
  bundle.file("/etc/thing", "of the image\n");
  Container container(runtime, bundle);
  container.launch();
  ASSERT_OK(add(container, R"([{"destination": "/etc/thing", "source": ")" + source() +
                               R"(/file", "options": ["bind"]}])"));
  EXPECT_EQ("of the host\n", container.exec_shell("cat /etc/thing").out);
  ASSERT_OK(remove(container, "/etc/thing"));
  EXPECT_EQ("of the image\n", container.exec_shell("cat /etc/thing").out);
}

TEST_F(MountsCommand, WorksBeforeTheStartAndWhilePaused) {
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  EXPECT_OK(add(container, bind_at("/x")));
  ASSERT_OK(container.start());
  EXPECT_EQ("of the host\n", container.exec_shell("cat /x/file").out);
  ASSERT_OK(runtime.run({"pause", container.id()}));
  EXPECT_OK(remove(container, "/x"));
  ASSERT_OK(runtime.run({"resume", container.id()}));
  EXPECT_EQ("no\n", container.exec_shell("cat /x/file 2>/dev/null || echo no").out);
}

// With ids 0 to 65535 inside that are 100000 and on outside.
class MountsCommandInUserNamespaces : public MountsCommand {
 protected:
  void SetUp() override {
    MountsCommand::SetUp();
    NEEDS_NAMESPACE("user");
    bundle.with_namespace("user");
    for (const char* map : {"linux.uidMappings", "linux.gidMappings"})
      bundle.set(map, R"([{"containerID": 0, "hostID": 100000, "size": 65536}])");
    // As engines do it: the container's root makes the places to mount on.
    ASSERT_EQ(0, chown(bundle.rootfs().c_str(), 100000, 100000));
  }
};

TEST_F(MountsCommandInUserNamespaces, AddsFileSystemsThatBelongToTheContainersRoot) {
  Container container(runtime, bundle);
  container.launch();
  ASSERT_OK(add(container, R"([{"destination": "/new/t", "type": "tmpfs", "options": ["size=1m"]},
                               {"destination": "/q", "type": "mqueue"},
                               {"destination": "/s", "type": "sysfs", "options": ["ro"]}])"));
  EXPECT_EQ("0:0\n0:0\n0:0\nwritten\nlo\n",
            container
                .exec_shell("stat -c %u:%g /new /new/t /q; echo x > /new/t/file && "
                            "echo written; ls /s/class/net | grep -v bonding_masters")
                .out);
  ASSERT_OK(remove(container, "/new/t"));
  EXPECT_EQ("gone\n", container.exec_shell("[ -e /new/t/file ] || echo gone").out);
}

TEST_F(MountsCommandInUserNamespaces, AddsWhatIsOnTheHostAsItIsOrWithItsIdsMapped) {
  NEEDS_MAPPED_TMPFS();
  ASSERT_EQ(0, chown((source() + "/file").c_str(), 3, 4));
  Container container(runtime, bundle);
  container.launch();
  ASSERT_OK(add(container, bind_at("/plain", R"(["bind", "ro"])")));
  ASSERT_OK(add(container, bind_at("/mapped", R"(["bind", "idmap"])")));
  ASSERT_OK(add(container, bind_at("/other", R"(["bind", "idmap=uids=@3-7-1;gids=@4-8-1"])")));
  EXPECT_EQ("65534 65534\n3 4\n7 8\n",
            container.exec_shell("stat -c '%u %g' /plain/file /mapped/file /other/file").out);
  EXPECT_TRUE(mount_at(seen_in(container), "/plain").has("ro"));
  ASSERT_OK(remove(container, "/plain"));
}

TEST_F(MountsCommandInUserNamespaces, Remounts) {
  Container container(runtime, bundle);
  container.launch();
  ASSERT_OK(add(container, R"([{"destination": "/x", "type": "tmpfs"},
                               {"destination": "/x", "options": ["bind", "remount", "ro"]}])"));
  EXPECT_TRUE(mount_at(seen_in(container), "/x").has("ro"));
}

TEST_F(MountsCommand, NeedsAContainerThatHasNotStopped) {
  bundle.shell("exit 0");
  Container container(runtime, bundle);
  container.launch();
  container.wait_for_exit();
  EXPECT_FAILS(add(container, bind_at("/x")), 1, "container not running");
  EXPECT_FAILS(remove(container, "/x"), 1, "container not running");
  EXPECT_FAILS(runtime.run({"mounts", "add", "nobody", "/dev/null"}), 1, "/dev/null");
}

TEST_F(MountsCommand, NamesThePlaceOfAMistake) {
  Container container(runtime, bundle);
  container.launch();
  EXPECT_FAILS(add(container, "{}"), 1, "standard input:1:1: ");
  EXPECT_FAILS(add(container, R"([{"type": "tmpfs"}])"), 1, "[0].destination: required");
  EXPECT_FAILS(add(container, R"([{"destination": ""}])"), 1, "[0].destination: must not be empty");
  EXPECT_FAILS(
      add(container, R"([{"destination": "/x", "type": "tmpfs", "options": ["wrong=1"]}])"), 1,
      "mounts[0] (/x): tmpfs does not take the option \"wrong=1\"");
  EXPECT_FAILS(add(container, bind_at("/x", R"(["bind", "size=1"])")), 1,
               "-: mounts[0].options: a bind mount takes no \"size=1\"");
  const Outcome usage = runtime.run({"mounts", "turn", container.id(), "-"});
  EXPECT_NE(0, usage.code);
  EXPECT_SAYS(usage.err, "expected add or remove, found \"turn\"");
}

// -- a container that does not want it that way

TEST_F(MountsCommand, TakesNoFileSystemThatWouldLookSomethingUpInTheContainer) {
  Container container(runtime, bundle);
  container.launch();
  for (const char* type : {"ext4", "overlay", "proc", "nosuchfs"}) {
    EXPECT_FAILS(add(container, std::string(R"([{"destination": "/x", "type": ")") + type +
                                    R"(", "source": "/dev/x"}])"),
                 1, "mount it on the host and add that with the option bind");
  }
  EXPECT_FAILS(
      add(container, R"([{"destination": "/x", "type": "tmpfs", "options": ["tmpcopyup"]}])"), 1,
      "tmpcopyup");
}

TEST_F(MountsCommand, StaysInsideWhateverTheContainersLinksSay) {
  const std::string victim = scratch() + "/victim";
  make_directories(victim);
  Container container(runtime, bundle);
  container.launch();
  ASSERT_OK(container.exec_shell("ln -s ../../../../../../../.." + victim + " /relative; ln -s " +
                                 victim + " /absolute; ln -s /proc/1/root /magic"));
  add(container, bind_at("/relative/new"));
  add(container, bind_at("/absolute"));
  add(container, bind_at("/magic/new"));
  EXPECT_TRUE(names_in(victim).empty());
  EXPECT_EQ(std::string::npos, read_file("/proc/self/mountinfo").find(victim + " "));
}

TEST_F(MountsCommand, CoversNothingOfProcWhereverItIsMounted) {
  bundle.mount("/p", "proc", "proc", {});
  Container container(runtime, bundle);
  container.launch();
  ASSERT_OK(container.exec_shell("ln -s /proc/sys /l"));
  EXPECT_FAILS(add(container, bind_at("/l")), 1, "inside procfs");
  EXPECT_FAILS(add(container, bind_at("/p/sys")), 1, "inside procfs");
}

TEST_F(MountsCommand, FollowsNoLinkToTakeACoverAwayOrToRemount) {
  bundle.set("linux.maskedPaths", R"(["/secret"])").set("linux.readonlyPaths", R"(["/fixed"])");
  bundle.file("/secret/key", "secret\n").directory("/fixed");
  Container container(runtime, bundle);
  container.launch();
  ASSERT_OK(container.exec_shell("rmdir /x; ln -s /secret /x; ln -s /fixed /y; ln -s / /z"));
  EXPECT_FAILS(remove(container, "/x"), 1, "(/x): nothing is mounted there");
  EXPECT_FAILS(remove(container, "/z/secret"), 1, "without following symbolic links");
  EXPECT_FAILS(add(container, R"([{"destination": "/y", "options": ["bind", "remount", "rw"]}])"),
               1, "mounts[0] (/y)");
  const std::string seen = container.exec_shell("ls /secret; touch /fixed/a 2>&1").out;
  EXPECT_EQ(std::string::npos, seen.find("key"));
  EXPECT_SAYS(seen, "Read-only file system");
}

}  // namespace
}  // namespace harness
