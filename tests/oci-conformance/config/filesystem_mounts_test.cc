// config.md, "Mounts": those of the kernel's own file systems, and tmpfs with what was there
// before.
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "tests/support/fixture.h"

namespace harness {
namespace {

class FilesystemMounts : public ContainerTest {};

TEST_F(FilesystemMounts, TmpfsTakesItsSizeAndMode) {
  bundle.mount("/x", "tmpfs", "tmpfs", {"size=1m", "mode=1733"});
  EXPECT_EQ("1733\n1024\n", run_shell("stat -c %a /x; df -k /x | awk 'END {print $2}'"));
}

TEST_F(FilesystemMounts, TmpfsWithoutAModeTakesThatOfTheDirectory) {
  bundle.directory("/x", 01770).mount("/x", "tmpfs", "tmpfs", {});
  EXPECT_EQ("1770\n", run_shell("stat -c %a /x"));
}

TEST_F(FilesystemMounts, TmpcopyupFillsTheTmpfs) {
  SPEC("config.md#mounts-linux-options", "tmpcopyup: copy up the contents to a tmpfs.");
  bundle.file("/x/a", "one\n", 0640).file("/x/deep/b", "two\n");
  ASSERT_EQ(0, symlink("a", bundle.rootfs("/x/link").c_str()));
  ASSERT_EQ(0, chown(bundle.rootfs("/x/a").c_str(), 12, 34));
  bundle.mount("/x", "tmpfs", "tmpfs", {"tmpcopyup"});
  EXPECT_EQ("tmpfs\none\ntwo\na\n640 12 34\n",
            run_shell("awk '$5 == \"/x\"' /proc/self/mountinfo | sed 's/.* - //' | cut -d' ' -f1;"
                      "cat /x/a /x/deep/b; readlink /x/link; stat -c '%a %u %g' /x/a;"
                      "echo changed > /x/a"));
  EXPECT_EQ("one\n", read_file(bundle.rootfs("/x/a")));
}

// There a file may have the device number of its layer, not that of its directory.
TEST_F(FilesystemMounts, TmpcopyupCopiesFromLayersOfSeveralFileSystems) {
  const std::string tmpfs = scratch() + "/tmpfs", rootfs = bundle.rootfs("/x");
  make_directories(tmpfs);
  make_directories(scratch() + "/lower");
  make_directories(rootfs);
  write_file(scratch() + "/lower/a", "one\n");
  ASSERT_EQ(0, mount("tmpfs", tmpfs.c_str(), "tmpfs", 0, nullptr)) << std::strerror(errno);
  for (const char* name : {"/layer", "/layer/deep", "/upper", "/work"})
    make_directories(tmpfs + name);
  write_file(tmpfs + "/layer/deep/b", "two\n");
  const std::string options = "lowerdir=" + scratch() + "/lower:" + tmpfs +
                              "/layer,upperdir=" + tmpfs + "/upper,workdir=" + tmpfs +
                              "/work,xino=off";
  const bool mounted = mount("overlay", rootfs.c_str(), "overlay", 0, options.c_str()) == 0;
  EXPECT_TRUE(mounted) << std::strerror(errno);
  if (mounted) {
    bundle.mount("/x", "tmpfs", "tmpfs", {"tmpcopyup"});
    EXPECT_EQ("one\ntwo\n", run_shell("cat /x/a /x/deep/b"));
    EXPECT_EQ(0, umount2(rootfs.c_str(), MNT_DETACH));
  }
  EXPECT_EQ(0, umount2(tmpfs.c_str(), MNT_DETACH));
}

// What is mounted there is not the image's.
TEST_F(FilesystemMounts, TmpcopyupLeavesOutWhatIsMountedBelow) {
  const std::string below = scratch() + "/below";
  make_directories(below);
  write_file(below + "/secret", "");
  bundle.directory("/x/below").file("/x/a", "one\n");
  bundle.mount("/x/below", "bind", below, {"bind"}).mount("/x", "tmpfs", "tmpfs", {"tmpcopyup"});
  EXPECT_EQ("a\n", run_shell("ls /x"));
}

TEST_F(FilesystemMounts, OfDevptsAreAnInstanceOfTheirOwn) {
  EXPECT_EQ("ptmx\n", run_shell("ls /dev/pts"));
  const Mount pts = mount_at(mounts_inside(), "/dev/pts");
  EXPECT_EQ("devpts", pts.type);
  EXPECT_TRUE(pts.has_super("gid=5") && pts.has_super("mode=620") && pts.has_super("ptmxmode=666"));
}

TEST_F(FilesystemMounts, OfMqueueWork) {
  bundle.mount("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"});
  EXPECT_EQ("mqueue", mount_at(mounts_inside(), "/dev/mqueue").type);
}

TEST_F(FilesystemMounts, OfProcShowTheContainersProcesses) {
  EXPECT_EQ("1\n", run_shell("cd /proc; echo [0-9]*"));
}

TEST_F(FilesystemMounts, OfSysfsShowTheContainersNetwork) {
  EXPECT_EQ("lo\n", run_shell("ls /sys/class/net | grep -v bonding_masters"));
  EXPECT_TRUE(mount_at(mounts_inside(), "/sys").has("ro"));
}

TEST_F(FilesystemMounts, OfCgroupVersion1ShowEveryController) {
  NEEDS_CGROUP_V1();
  bundle.mount("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "ro"});
  const std::vector<Mount> mounts = mounts_inside();
  for (const char* controller : {"memory", "pids", "devices", "cpu"}) {
    if (!cgroups::has_controller(controller)) continue;
    const Mount mount = mount_at(mounts, std::string("/sys/fs/cgroup/") + controller);
    EXPECT_EQ("cgroup", mount.type);
    EXPECT_TRUE(mount.has("ro"));
  }
  EXPECT_EQ("1\n", run_shell("cat /sys/fs/cgroup/memory/cgroup.procs | head -n 1"))
      << "the mount must show the container's own group";
}

TEST_F(FilesystemMounts, OfCgroupVersion2ShowTheContainersGroup) {
  NEEDS_CGROUP_V2();
  bundle.mount("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "ro"});
  bundle.with_namespace("cgroup");
  const Mount mount = mount_at(mounts_inside(), "/sys/fs/cgroup");
  EXPECT_EQ("cgroup2", mount.type);
  EXPECT_TRUE(mount.has("ro"));
  EXPECT_EQ("1\n", run_shell("head -n 1 /sys/fs/cgroup/cgroup.procs"));
}

TEST_F(FilesystemMounts, OfCgroupVersion2WithoutACgroupNamespaceShowTheContainersGroupToo) {
  NEEDS_CGROUP_V2();
  bundle.mount("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "ro"});
  EXPECT_SAYS(run_shell("cat /proc/self/mountinfo"), " /sys/fs/cgroup ");
}

// The options of cgroup2 are those of the whole host. This sets them and puts back what was there.
class Cgroup2Options {
 public:
  Cgroup2Options() : before_(now()) {}
  Cgroup2Options(const Cgroup2Options&) = delete;
  Cgroup2Options& operator=(const Cgroup2Options&) = delete;
  ~Cgroup2Options() { set(before_); }

  static std::string now() {
    const std::string point = cgroups::directory("", "");
    std::vector<std::string> options =
        mount_at(parse_mountinfo(read_file("/proc/self/mountinfo")), point).super_options;
    std::erase(options, "rw");
    return join(options, ",");
  }
  static void set(const std::string& options) {
    // What is not said again is taken away, of the mount's own options too.
    const std::string point = cgroups::directory("", "");
    const Mount here = mount_at(parse_mountinfo(read_file("/proc/self/mountinfo")), point);
    unsigned long flags = MS_REMOUNT;
    for (const auto& [word, flag] :
         {std::pair("nosuid", MS_NOSUID), {"nodev", MS_NODEV}, {"noexec", MS_NOEXEC}})
      if (contains(here.options, word)) flags |= flag;
    mount("cgroup2", point.c_str(), "cgroup2", flags, options.c_str());
  }

 private:
  std::string before_;
};

TEST_F(FilesystemMounts, OfCgroupVersion2LeaveTheHostsOptionsAlone) {
  constexpr const char* kOptions = "nsdelegate,memory_recursiveprot";
  const Cgroup2Options restored;
  Cgroup2Options::set(kOptions);
  if (Cgroup2Options::now() != kOptions) GTEST_SKIP() << "this kernel lacks " << kOptions;
  for (const char* type : {"cgroup2", "cgroup"}) {
    bundle.without_mount("/sys/fs/cgroup");
    bundle.mount("/sys/fs/cgroup", type, "cgroup", {"nosuid", "noexec", "nodev", "ro"});
    bool kept = false;
    // Somebody else on this machine may mount it meanwhile.
    for (int tries = 0; tries < 5 && !kept; ++tries) {
      Cgroup2Options::set(kOptions);
      EXPECT_SAYS(run_shell("cat /proc/self/mountinfo"), " /sys/fs/cgroup ");
      kept = Cgroup2Options::now() == kOptions;
    }
    EXPECT_TRUE(kept) << type << ": " << Cgroup2Options::now();
  }
}

}  // namespace
}  // namespace harness
