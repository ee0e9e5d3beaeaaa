// config.md, "Root", and what must be true of the root directory of any container: it is the
// bundle's rootfs, nothing of the host is reachable above it, and its propagation is the one asked
// for.
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/fixture.h"

namespace harness {
namespace {

class Root : public ContainerTest {};

TEST_F(Root, IsTheRootfsOfTheBundle) {
  SPEC("config.md#root", "path specifies the path to the root filesystem for the container.");
  bundle.file("/marker", "this rootfs\n");
  EXPECT_EQ("this rootfs\n", run_shell("cat /marker"));
}

TEST_F(Root, MayBeAnAbsolutePath) {
  const std::string elsewhere = scratch() + "/elsewhere";
  make_rootfs(elsewhere);
  write_file(elsewhere + "/marker", "elsewhere\n");
  bundle.set("root.path", "\"" + elsewhere + "\"");
  EXPECT_EQ("elsewhere\n", run_shell("cat /marker"));
}

TEST_F(Root, NothingIsAboveIt) {
  EXPECT_EQ(run_shell("stat -c %d:%i /"), run_shell("stat -c %d:%i /../.."));
  EXPECT_EQ("gone\n", run_shell("test -e /../" + scratch() + " || echo gone"));
}

TEST_F(Root, NoMountOfTheHostIsVisible) {
  for (const Mount& mount : mounts_inside()) {
    EXPECT_FALSE(mount.target.starts_with("/tmp")) << mount.target;
    EXPECT_FALSE(mount.target.find("oldroot") != std::string::npos) << mount.target;
  }
  const std::vector<Mount> mounts = mounts_inside();
  EXPECT_EQ("/", mounts.front().target) << "the root mount comes first: no other root is under it";
}

TEST_F(Root, IsAMountOfItsOwn) {
  const Mount root = mount_at(mounts_inside(), "/");
  EXPECT_TRUE(root.root.ends_with("/bundle/rootfs")) << root.root;
}

TEST_F(Root, IsWritableUnlessReadonlyIsAsked) {
  EXPECT_EQ("x\n", run_shell("echo x > /file; cat /file"));
}

TEST_F(Root, IsReadonlyWhenAsked) {
  SPEC("config.md#root", "readonly: if true then the root filesystem MUST be read-only.");
  bundle.set("root.readonly", "true");
  const std::string seen = run_shell(
      "touch /file 2>&1; touch /tmp/file 2>&1; touch /dev/shm/file && echo shm is writable");
  EXPECT_EQ(
      "touch: /file: Read-only file system\ntouch: /tmp/file: Read-only file system\n"
      "shm is writable\n",
      seen);
  EXPECT_FALSE(exists(bundle.rootfs("/file")));
}

TEST_F(Root, AMissingRootIsAnErrorThatNamesIt) {
  SPEC("config.md#root", "A directory MUST exist at the path declared by the field.");
  bundle.set("root.path", R"("absent-rootfs")");
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create(), 1, "absent-rootfs");
  EXPECT_TRUE(names_in(runtime.root()).empty());
}

TEST_F(Root, NoPivotMovesTheRootInstead) {
  const std::string seen = run_shell("ls /../; pwd; cat /proc/self/mountinfo", {"--no-pivot"});
  EXPECT_SAYS(seen, "bin\n");
  EXPECT_EQ("gone\n", run_shell("test -e " + scratch() + " || echo gone", {"--no-pivot"}));
}

// Who may make namespaces may mount procfs anew, and see all of it, wherever a whole one is left.
TEST_F(Root, NoPivotLeavesNoProcfsOfTheHostAnywhere) {
  const std::string where = scratch() + "/a procfs";
  make_directories(where);
  ASSERT_EQ(0, mount("proc", where.c_str(), "proc", 0, nullptr));
  bundle.set("linux.maskedPaths", R"(["/proc/kcore", "/proc/timer_list"])");
  for (const char* set : {"bounding", "permitted", "effective"})
    bundle.set(std::string("process.capabilities.") + set, R"(["CAP_SETFCAP"])");
  EXPECT_EQ("unshared\nrefused\n",
            run_shell("unshare -rmpf echo unshared;"
                      "unshare -rmpf mount -t proc proc /tmp 2>/dev/null || echo refused",
                      {"--no-pivot"}));
  EXPECT_EQ(0, umount2(where.c_str(), MNT_DETACH));
}

TEST_F(Root, WorksFromTheRootOfAFileSystem) {
  // A rootfs that is a mount already must not be confused with its parent.
  const std::string where = scratch() + "/mounted";
  make_directories(where);
  ASSERT_EQ(0, mount("tmpfs", where.c_str(), "tmpfs", 0, nullptr));
  for (const char* name : {"/bin", "/proc", "/dev", "/sys"}) make_directories(where + name);
  write_file(where + "/bin/busybox", read_file(bundle.rootfs("/bin/busybox")), 0755);
  ASSERT_EQ(0, symlink("busybox", (where + "/bin/sh").c_str()));
  bundle.set("root.path", "\"" + where + "\"");
  EXPECT_EQ("ran\n", run_shell("echo ran"));
  EXPECT_EQ(0, umount2(where.c_str(), MNT_DETACH));
}

class Propagation : public ContainerTest {
 protected:
  Mount root_with(const char* propagation) {
    if (propagation) bundle.set("linux.rootfsPropagation", Json::string(propagation).print());
    return mount_at(mounts_inside(), "/");
  }
};

TEST_F(Propagation, OfTheRootIsSharedWhenAsked) {
  SPEC("config-linux.md#rootfs-mount-propagation",
       "rootfsPropagation sets the rootfs's mount propagation.");
  EXPECT_TRUE(root_with("shared").is_shared());
}

TEST_F(Propagation, OfTheRootIsPrivateWhenAsked) { EXPECT_TRUE(root_with("private").tags.empty()); }

TEST_F(Propagation, OfTheRootIsSlaveWhenAsked) { EXPECT_FALSE(root_with("slave").is_shared()); }

TEST_F(Propagation, OfTheRootIsNotSharedByDefault) { EXPECT_FALSE(root_with(nullptr).is_shared()); }

TEST_F(Propagation, OfTheRootIsUnbindableWhenAsked) {
  EXPECT_EQ(std::vector<std::string>{"unbindable"}, root_with("unbindable").tags);
}

TEST_F(Propagation, AMountOfTheHostReachesASlaveBind) {
  const std::string where = scratch() + "/tree";
  make_directories(where + "/below");
  ASSERT_EQ(0, mount(where.c_str(), where.c_str(), nullptr, MS_BIND, nullptr));
  ASSERT_EQ(0, mount(nullptr, where.c_str(), nullptr, MS_SHARED, nullptr));
  bundle.mount("/mnt/tree", "bind", where, {"rbind", "rslave"});
  bundle.set("linux.rootfsPropagation", R"("rslave")");
  bundle.shell("echo ready; while ! test -e /mnt/tree/below/late; do usleep 5000; done; echo seen");
  {
    Container container(runtime, bundle);
    container.launch();
    ASSERT_TRUE(eventually([&] { return container.output() == "ready\n"; }));
    ASSERT_EQ(0, mount("tmpfs", (where + "/below").c_str(), "tmpfs", 0, nullptr));
    write_file(where + "/below/late", "");
    EXPECT_TRUE(eventually([&] { return container.output() == "ready\nseen\n"; }));
  }
  EXPECT_EQ(0, umount2((where + "/below").c_str(), MNT_DETACH));
  EXPECT_EQ(0, umount2(where.c_str(), MNT_DETACH));
}

TEST_F(Propagation, AMountInAPrivateContainerDoesNotReachTheHost) {
  const std::string where = scratch() + "/tree";
  make_directories(where);
  ASSERT_EQ(0, mount(where.c_str(), where.c_str(), nullptr, MS_BIND, nullptr));
  ASSERT_EQ(0, mount(nullptr, where.c_str(), nullptr, MS_SHARED, nullptr));
  const std::string before = read_file("/proc/self/mountinfo");
  // The container mounts a tmpfs below this bind; the host's tree is shared with it.
  bundle.mount("/mnt/tree", "bind", where, {"rbind", "rprivate"});
  bundle.mount("/mnt/tree/inner", "tmpfs", "tmpfs", {"nosuid"});
  bundle.shell("echo ready; exec sleep 100");
  {
    Container container(runtime, bundle);
    container.launch();
    ASSERT_TRUE(eventually([&] { return container.output() == "ready\n"; }));
    EXPECT_EQ(before, read_file("/proc/self/mountinfo"));
  }
  EXPECT_EQ(0, umount2(where.c_str(), MNT_DETACH));
}

class HiddenPaths : public ContainerTest {};

TEST_F(HiddenPaths, MaskedFilesReadAsEmptyAndMaskedDirectoriesAreEmpty) {
  SPEC("config-linux.md#masked-paths",
       "maskedPaths will mask over the provided paths inside the container so that they cannot be "
       "read.");
  bundle.file("/secret/inner", "secret\n").file("/secret.txt", "secret\n");
  bundle.set("linux.maskedPaths", R"(["/secret", "/secret.txt", "/proc/kcore", "/absent"])");
  EXPECT_EQ("[]\n[]\nwrite refused\n[]\n",
            run_shell("echo \"[$(ls -A /secret)]\"; echo \"[$(cat /secret.txt)]\";"
                      "touch /secret/x 2>/dev/null || echo write refused;"
                      "echo \"[$(head -c 10 /proc/kcore)]\""));
  EXPECT_EQ("secret\n", read_file(bundle.rootfs("/secret.txt")));
  EXPECT_FALSE(exists(bundle.rootfs("/absent"))) << "absent paths are ignored, not made";
}

TEST_F(HiddenPaths, ReadonlyPathsRefuseWrites) {
  SPEC("config-linux.md#readonly-paths",
       "readonlyPaths will set the provided paths as readonly inside the container.");
  bundle.file("/fixed/inner", "as it was\n").file("/fixed.txt", "as it was\n");
  bundle.set("linux.readonlyPaths", R"(["/fixed", "/fixed.txt", "/proc/sys", "/absent"])");
  const std::string seen = run_shell(
      "touch /fixed/new 2>&1; (echo x > /fixed/inner) 2>&1; (echo x > /fixed.txt) 2>&1;"
      "(echo 0 > /proc/sys/vm/swappiness) 2>&1; cat /fixed/inner /fixed.txt");
  const std::vector<std::string> all = lines(seen);
  ASSERT_EQ(6u, all.size()) << seen;
  for (size_t i = 0; i < 4; ++i) EXPECT_SAYS(all[i], "Read-only file system");
  EXPECT_EQ("as it was", all[4]);
  EXPECT_EQ("as it was", all[5]);
}

TEST_F(HiddenPaths, ReadonlyPathsKeepTheOtherOptionsOfTheirMount) {
  bundle.mount("/data", "tmpfs", "tmpfs", {"nosuid", "nodev", "noexec"});
  bundle.set("linux.readonlyPaths", R"(["/data"])");
  const Mount data = mount_at(mounts_inside(), "/data");
  for (const char* option : {"ro", "nosuid", "nodev", "noexec"})
    EXPECT_TRUE(data.has(option)) << option;
}

TEST_F(HiddenPaths, AMaskThatIsASymbolicLinkOutOfTheRootDoesNotTouchTheHost) {
  write_file(scratch() + "/victim", "victim\n");
  ASSERT_EQ(0, symlink(("../../../../../../.." + scratch() + "/victim").c_str(),
                       bundle.rootfs("/link").c_str()));
  bundle.set("linux.maskedPaths", R"(["/link"])");
  Container container(runtime, bundle);
  container.run();
  EXPECT_EQ("victim\n", read_file(scratch() + "/victim"));
}

TEST_F(HiddenPaths, MustBeAbsolute) {
  SPEC("config-linux.md#masked-paths",
       "The values MUST be absolute paths in the container namespace.");
  for (const char* property : {"maskedPaths", "readonlyPaths"}) {
    bundle.set(std::string("linux.") + property, R"(["proc/kcore"])");
    {
      Container container(runtime, bundle);
      EXPECT_FAILS(container.create(), 1, property);
    }
    bundle.set(std::string("linux.") + property, "[]");
  }
}

TEST_F(HiddenPaths, HoldForExecToo) {
  bundle.file("/secret.txt", "secret\n").file("/fixed.txt", "fixed\n").shell("exec sleep 100");
  bundle.set("linux.maskedPaths", R"(["/secret.txt"])");
  bundle.set("linux.readonlyPaths", R"(["/fixed.txt"])");
  Container container(runtime, bundle);
  container.launch();
  EXPECT_EQ("[]\nrefused\n", container
                                 .exec_shell("echo \"[$(cat /secret.txt)]\";"
                                             "(echo x > /fixed.txt) 2>/dev/null || echo refused")
                                 .out);
}

TEST_F(HiddenPaths, CoverWhatIsMountedThere) {
  bundle.directory("/data");
  write_file(scratch() + "/data", "secret\n");
  bundle.file("/data/one", "");
  bundle.mount("/data/one", "bind", scratch() + "/data", {"bind"});
  bundle.set("linux.maskedPaths", R"(["/data"])");
  EXPECT_EQ("[]\n", run_shell("echo \"[$(ls -A /data)]\""));
}

TEST_F(HiddenPaths, MayBeBothAndTwice) {
  bundle.file("/secret.txt", "secret\n");
  bundle.set("linux.maskedPaths", R"(["/secret.txt", "/secret.txt"])");
  bundle.set("linux.readonlyPaths", R"(["/secret.txt", "/secret.txt"])");
  EXPECT_EQ("[]\n", run_shell("echo \"[$(cat /secret.txt)]\""));
}

}  // namespace
}  // namespace harness
