// config.md, "Mounts": read back from the container's own mount table and by using what is mounted.
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>

#include "tests/support/fixture.h"

namespace harness {
namespace {

class Mounts : public ContainerTest {
 protected:
  static std::string lower(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
  }
  // Mounts a tmpfs with these options at /x and returns how it came out.
  Mount tmpfs_with(const std::vector<std::string>& options) {
    bundle.mount("/x", "tmpfs", "tmpfs", options);
    return mount_at(mounts_inside(), "/x");
  }
  // Binds a directory of ours at /x.
  Mount bind_with(const std::vector<std::string>& options) {
    make_directories(scratch() + "/source");
    bundle.mount("/x", "bind", scratch() + "/source", options);
    return mount_at(mounts_inside(), "/x");
  }
};

TEST_F(Mounts, HappenInTheListedOrder) {
  SPEC("config.md#mounts", "The runtime MUST mount entries in the listed order.");
  bundle.mount("/x", "tmpfs", "one", {});
  bundle.mount("/x/inner", "tmpfs", "another", {});
  bundle.mount("/x", "tmpfs", "last", {});
  std::vector<std::string> sources;
  for (const Mount& mount : mounts_inside())
    if (mount.target == "/x" || mount.target == "/x/inner") sources.push_back(mount.source);
  EXPECT_EQ((std::vector<std::string>{"one", "another", "last"}), sources);
}

// A document with this mount, and /proc and /dev after it.
std::string after(const std::string& first) {
  return "[" + first + R"(, {"destination": "/proc", "type": "proc", "source": "proc"},
      {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"}])";
}

TEST_F(Mounts, OnTheRootAreTheRootFromThenOn) {
  const std::string elsewhere = scratch() + "/elsewhere";
  make_rootfs(elsewhere);
  write_file(elsewhere + "/marker", "bound\n");
  bundle.file("/marker", "of the bundle\n").set("root.readonly", "true");
  bundle.set("mounts", after(R"({"destination": "/", "type": "bind", "source": ")" + elsewhere +
                             R"(", "options": ["rbind"]})"));
  bundle.set("linux.maskedPaths", R"(["/marker2", "/proc/timer_list"])");
  write_file(elsewhere + "/marker2", "masked");
  const std::string script =
      "cat /marker /marker2 /proc/timer_list; [ -c /dev/null ] && echo null; echo x > /file; "
      "[ $(stat -c %d:%i /) = $(stat -c %d:%i /../..) ] && echo top; grep -c ' / ' /proc/mounts";
  const std::string seen = "bound\nnull\ntop\n1\n";
  EXPECT_EQ(seen, run_shell("{ " + script + "; } 2>/dev/null"));
  EXPECT_FALSE(exists(elsewhere + "/file"));
  bundle.shell("exec sleep 100");
  Container container(runtime, bundle);
  container.launch();
  EXPECT_EQ(seen, container.exec_shell("{ " + script + "; } 2>/dev/null").out);
}

TEST_F(Mounts, OnTheRootMayHoldWhatWasThere) {
  bundle.file("/marker", "of the bundle\n");
  bundle.set("mounts", after(R"({"destination": "/", "type": "tmpfs", "source": "tmpfs",
                                 "options": ["tmpcopyup", "private"]})"));
  EXPECT_EQ("of the bundle\nnew\n", run_shell("echo new > /file; cat /marker /file"));
  EXPECT_FALSE(exists(bundle.rootfs("/file")));
}

// Init sweeps what it has open after so many.
TEST_F(Mounts, MayBeMoreThanAHundred) {
  constexpr int kMany = 110;
  std::string expected;
  for (int i = 0; i < kMany; ++i) {
    const std::string name = std::to_string(i), source = scratch() + "/source" + name;
    make_directories(source);
    write_file(source + "/name", name + "\n");
    bundle.mount("/many/" + name, "bind", source, {"rbind"});
    expected += name + "\n";
  }
  EXPECT_EQ(expected, run_shell("for i in $(seq 0 109); do cat /many/$i/name; done"));
}

TEST_F(Mounts, HaveTheTypeAndSourceGiven) {
  bundle.mount("/x", "tmpfs", "a-name", {});
  const Mount mount = mount_at(mounts_inside(), "/x");
  EXPECT_EQ("tmpfs", mount.type);
  EXPECT_EQ("a-name", mount.source);
}

struct OptionCase {
  const char* name;
  std::vector<std::string> options;
  std::vector<std::string> present, absent;

  friend void PrintTo(const OptionCase& wanted, std::ostream* stream) { *stream << wanted.name; }
};

class MountOptions : public Mounts, public ::testing::WithParamInterface<OptionCase> {};

TEST_P(MountOptions, AreInTheMountTable) {
  SPEC("config.md#mounts-linux-options", "Runtimes MUST/SHOULD implement the following options.");
  const OptionCase& wanted = GetParam();
  const Mount mount = tmpfs_with(wanted.options);
  for (const std::string& option : wanted.present)
    EXPECT_TRUE(mount.has(option) || mount.has_super(option))
        << option << " is not in " << join(mount.options, ",") << " "
        << join(mount.super_options, ",");
  for (const std::string& option : wanted.absent)
    EXPECT_FALSE(mount.has(option) || mount.has_super(option)) << option;
}

INSTANTIATE_TEST_SUITE_P(
    Word, MountOptions,
    ::testing::Values(
        OptionCase{"none", {}, {"rw", "relatime"}, {"ro", "nosuid", "nodev", "noexec"}},
        OptionCase{"ro", {"ro"}, {"ro"}, {}},  //
        OptionCase{"rw_after_ro", {"ro", "rw"}, {"rw"}, {"ro"}},
        OptionCase{"nosuid", {"nosuid"}, {"nosuid"}, {}},
        OptionCase{"suid", {"nosuid", "suid"}, {}, {"nosuid"}},
        OptionCase{"nodev", {"nodev"}, {"nodev"}, {}},
        OptionCase{"dev", {"nodev", "dev"}, {}, {"nodev"}},
        OptionCase{"noexec", {"noexec"}, {"noexec"}, {}},
        OptionCase{"exec", {"noexec", "exec"}, {}, {"noexec"}},
        OptionCase{"noatime", {"noatime"}, {"noatime"}, {"relatime"}},
        OptionCase{"relatime", {"relatime"}, {"relatime"}, {"noatime"}},
        OptionCase{"strictatime", {"strictatime"}, {}, {"relatime", "noatime"}},
        OptionCase{"nodiratime", {"nodiratime"}, {"nodiratime"}, {}},
        OptionCase{"atime", {"noatime", "atime"}, {"relatime"}, {"noatime"}},
        OptionCase{"diratime", {"nodiratime", "diratime"}, {}, {"nodiratime"}},
        OptionCase{"nostrictatime", {"strictatime", "nostrictatime"}, {"relatime"}, {}},
        OptionCase{"norelatime", {"relatime", "norelatime"}, {}, {"noatime"}},
        OptionCase{"sync", {"sync"}, {"sync"}, {}},
        OptionCase{"dirsync", {"dirsync"}, {"dirsync"}, {}},
        OptionCase{"defaults", {"defaults"}, {"rw", "relatime"}, {"nosuid", "ro"}},
        OptionCase{"size_and_mode", {"size=1m", "mode=711"}, {"size=1024k", "mode=711"}, {}},
        OptionCase{"owner", {"uid=12", "gid=34"}, {"uid=12", "gid=34"}, {}},
        OptionCase{"together",
                   {"nosuid", "noexec", "nodev", "ro", "size=64k"},
                   {"nosuid", "noexec", "nodev", "ro", "size=64k"},
                   {}}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(Mounts, NoSymfollowIsApplied) {
  if (!contains(features()["mountOptions"].strings(), "nosymfollow"))
    GTEST_SKIP() << "the runtime does not list nosymfollow in `features`";
  EXPECT_TRUE(tmpfs_with({"nosymfollow"}).has("nosymfollow"));
}

TEST_F(Mounts, BindADirectory) {
  SPEC("config.md#linux-mount", "options include bind or rbind: the mount is a bind mount.");
  make_directories(scratch() + "/source");
  write_file(scratch() + "/source/file", "of the host\n");
  bundle.mount("/x", "bind", scratch() + "/source", {"bind"});
  EXPECT_EQ("of the host\n", run_shell("cat /x/file; echo back > /x/answer"));
  EXPECT_EQ("back\n", read_file(scratch() + "/source/answer"));
}

TEST_F(Mounts, BindIsRecognisedByItsOptionAlone) {
  make_directories(scratch() + "/source");
  write_file(scratch() + "/source/file", "of the host\n");
  bundle.mount("/x", "", scratch() + "/source", {"rbind"});
  bundle.mount("/y", "none", scratch() + "/source", {"bind"});
  EXPECT_EQ("of the host\nof the host\n", run_shell("cat /x/file /y/file"));
}

TEST_F(Mounts, BindAFile) {
  write_file(scratch() + "/file", "of the host\n");
  bundle.mount("/etc/file", "bind", scratch() + "/file", {"bind", "ro"});
  const std::string seen = run_shell("cat /etc/file; (echo x > /etc/file) 2>&1; true");
  EXPECT_SAYS(seen, "of the host\n");
  EXPECT_SAYS(seen, "Read-only file system");
  EXPECT_EQ("of the host\n", read_file(scratch() + "/file"));
}

TEST_F(Mounts, ABindWithARelativeSourceIsRelativeToTheBundle) {
  SPEC("config.md#mounts",
       "For bind mounts, source is a relative path to the bundle unless it is absolute.");
  make_directories(bundle.path() + "/data");
  write_file(bundle.path() + "/data/file", "in the bundle\n");
  bundle.mount("/x", "bind", "data", {"bind"});
  EXPECT_EQ("in the bundle\n", run_shell("cat /x/file"));
}

TEST_F(Mounts, BindOptionsAreAppliedToTheBind) {
  const Mount mount = bind_with({"bind", "ro", "nosuid", "nodev", "noexec"});
  for (const char* option : {"ro", "nosuid", "nodev", "noexec"})
    EXPECT_TRUE(mount.has(option)) << option;
}

TEST_F(Mounts, AReadonlyBindLeavesItsSourceWritable) {
  bind_with({"bind", "ro"});
  write_file(scratch() + "/source/still", "writable");
  EXPECT_EQ("writable", read_file(scratch() + "/source/still"));
}

class RecursiveBinds : public Mounts {
 protected:
  void SetUp() override {
    Mounts::SetUp();
    make_directories(source() + "/inner");
    ASSERT_EQ(0, mount("tmpfs", (source() + "/inner").c_str(), "tmpfs", 0, nullptr));
    write_file(source() + "/inner/file", "inner\n");
  }
  void TearDown() override {
    EXPECT_EQ(0, umount2((source() + "/inner").c_str(), MNT_DETACH));
    Mounts::TearDown();
  }
  std::string source() { return scratch() + "/source"; }
};

TEST_F(RecursiveBinds, CarryTheMountsBelow) {
  bundle.mount("/x", "bind", source(), {"rbind"});
  EXPECT_EQ("inner\n", run_shell("cat /x/inner/file"));
}

TEST_F(RecursiveBinds, AreNotMadeByBind) {
  bundle.mount("/x", "bind", source(), {"bind"});
  EXPECT_EQ("empty\n", run_shell("test -e /x/inner/file || echo empty"));
}

TEST_F(RecursiveBinds, AreReadonlyOnTheTopOnlyWithRo) {
  bundle.mount("/x", "bind", source(), {"rbind", "ro"});
  const std::string seen = run_shell("(echo a > /x/top) 2>&1; echo b > /x/inner/new && echo wrote");
  EXPECT_SAYS(seen, "Read-only file system");
  EXPECT_SAYS(seen, "wrote");
}

TEST_F(RecursiveBinds, AreReadonlyThroughoutWithRro) {
  SPEC("config.md#mounts-linux-options", "rro: the mount point is made readonly recursively.");
  bundle.mount("/x", "bind", source(), {"rbind", "rro"});
  const std::string seen = run_shell("(echo a > /x/top) 2>&1; (echo b > /x/inner/new) 2>&1; true");
  EXPECT_EQ(2u, lines(seen).size());
  for (const std::string& line : lines(seen)) EXPECT_SAYS(line, "Read-only file system");
}

TEST_F(RecursiveBinds, TakeRecursiveAttributes) {
  bundle.mount("/x", "bind", source(), {"rbind", "rnosuid", "rnodev", "rnoexec", "rnoatime"});
  const std::vector<Mount> mounts = mounts_inside();
  for (const char* target : {"/x", "/x/inner"})
    for (const char* option : {"nosuid", "nodev", "noexec", "noatime"})
      EXPECT_TRUE(mount_at(mounts, target).has(option)) << target << " " << option;
}

struct PropagationCase {
  const char* word;
  bool shared, slave, unbindable;

  friend void PrintTo(const PropagationCase& wanted, std::ostream* stream) {
    *stream << wanted.word;
  }
};

class MountPropagation : public Mounts, public ::testing::WithParamInterface<PropagationCase> {};

TEST_P(MountPropagation, IsTheOneAsked) {
  const PropagationCase& wanted = GetParam();
  const std::string source = scratch() + "/source";
  make_directories(source);
  ASSERT_EQ(0, mount(source.c_str(), source.c_str(), nullptr, MS_BIND, nullptr));
  ASSERT_EQ(0, mount(nullptr, source.c_str(), nullptr, MS_SHARED, nullptr));
  bundle.mount("/x", "bind", source, {"rbind", wanted.word});
  // Without the word, the bind would be a peer of its source where the root is shared, and a slave
  // of it elsewhere; so each word is tried where it makes a difference.
  bundle.set("linux.rootfsPropagation", wanted.shared ? "\"rslave\"" : "\"rshared\"");
  const Mount mount = mount_at(mounts_inside(), "/x");
  EXPECT_EQ(0, umount2(source.c_str(), MNT_DETACH));
  EXPECT_EQ(wanted.shared, mount.is_shared()) << join(mount.tags, " ");
  EXPECT_EQ(wanted.unbindable, contains(mount.tags, "unbindable")) << join(mount.tags, " ");
  EXPECT_TRUE(mount.is_slave() || !wanted.slave) << join(mount.tags, " ");
}

INSTANTIATE_TEST_SUITE_P(Word, MountPropagation,
                         ::testing::Values(PropagationCase{"shared", true, false, false},
                                           PropagationCase{"rshared", true, false, false},
                                           PropagationCase{"slave", false, true, false},
                                           PropagationCase{"rslave", false, true, false},
                                           PropagationCase{"private", false, false, false},
                                           PropagationCase{"rprivate", false, false, false},
                                           PropagationCase{"unbindable", false, false, true},
                                           PropagationCase{"runbindable", false, false, true}),
                         [](const auto& test) { return std::string(test.param.word); });

TEST_F(Mounts, TmpfsTakesItsSizeAndMode) {
  bundle.mount("/x", "tmpfs", "tmpfs", {"size=1m", "mode=1733"});
  EXPECT_EQ("1733\n1024\n", run_shell("stat -c %a /x; df -k /x | awk 'END {print $2}'"));
}

TEST_F(Mounts, TmpfsWithoutAModeTakesThatOfTheDirectory) {
  bundle.directory("/x", 01770).mount("/x", "tmpfs", "tmpfs", {});
  EXPECT_EQ("1770\n", run_shell("stat -c %a /x"));
}

TEST_F(Mounts, TmpcopyupFillsTheTmpfs) {
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
TEST_F(Mounts, TmpcopyupCopiesFromLayersOfSeveralFileSystems) {
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
TEST_F(Mounts, TmpcopyupLeavesOutWhatIsMountedBelow) {
  const std::string below = scratch() + "/below";
  make_directories(below);
  write_file(below + "/secret", "");
  bundle.directory("/x/below").file("/x/a", "one\n");
  bundle.mount("/x/below", "bind", below, {"bind"}).mount("/x", "tmpfs", "tmpfs", {"tmpcopyup"});
  EXPECT_EQ("a\n", run_shell("ls /x"));
}

TEST_F(Mounts, OfDevptsAreAnInstanceOfTheirOwn) {
  EXPECT_EQ("ptmx\n", run_shell("ls /dev/pts"));
  const Mount pts = mount_at(mounts_inside(), "/dev/pts");
  EXPECT_EQ("devpts", pts.type);
  EXPECT_TRUE(pts.has_super("gid=5") && pts.has_super("mode=620") && pts.has_super("ptmxmode=666"));
}

TEST_F(Mounts, OfMqueueWork) {
  bundle.mount("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"});
  EXPECT_EQ("mqueue", mount_at(mounts_inside(), "/dev/mqueue").type);
}

TEST_F(Mounts, OfProcShowTheContainersProcesses) {
  EXPECT_EQ("1\n", run_shell("cd /proc; echo [0-9]*"));
}

TEST_F(Mounts, OfSysfsShowTheContainersNetwork) {
  EXPECT_EQ("lo\n", run_shell("ls /sys/class/net | grep -v bonding_masters"));
  EXPECT_TRUE(mount_at(mounts_inside(), "/sys").has("ro"));
}

TEST_F(Mounts, OfCgroupVersion1ShowEveryController) {
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

TEST_F(Mounts, OfCgroupVersion2ShowTheContainersGroup) {
  NEEDS_CGROUP_V2();
  bundle.mount("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "ro"});
  bundle.with_namespace("cgroup");
  const Mount mount = mount_at(mounts_inside(), "/sys/fs/cgroup");
  EXPECT_EQ("cgroup2", mount.type);
  EXPECT_TRUE(mount.has("ro"));
  EXPECT_EQ("1\n", run_shell("head -n 1 /sys/fs/cgroup/cgroup.procs"));
}

TEST_F(Mounts, OfCgroupVersion2WithoutACgroupNamespaceShowTheContainersGroupToo) {
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

TEST_F(Mounts, OfCgroupVersion2LeaveTheHostsOptionsAlone) {
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

TEST_F(Mounts, MakeADestinationWithItsMissingParents) {
  SPEC("config.md#mounts",
       "destination: if it does not exist, the runtime creates it (runtimes agree on this).");
  write_file(scratch() + "/file", "file\n");
  bundle.mount("/a/b/c", "tmpfs", "tmpfs", {});
  bundle.mount("/d/e/f.txt", "bind", scratch() + "/file", {"bind"});
  EXPECT_EQ("file\n", run_shell("test -d /a/b/c && cat /d/e/f.txt"));
}

TEST_F(Mounts, WithARelativeDestinationAreRelativeToTheRoot) {
  SPEC("config.md#mounts",
       "For compatibility, runtimes MAY interpret relative destinations as relative to \"/\".");
  NEEDS_VERSION("1.2");
  bundle.mount("x/y", "tmpfs", "tmpfs", {});
  bundle.shell("cat /proc/self/mountinfo");
  Container container(runtime, bundle);
  const Outcome outcome = container.run();
  ASSERT_OK(outcome);
  EXPECT_EQ("tmpfs", mount_at(parse_mountinfo(outcome.out), "/x/y").type);
}

TEST_F(Mounts, OnSymbolicLinksWithoutATargetMakeTheTarget) {
  // As /etc/resolv.conf is in images whose resolver runs as a service.
  const std::string victim = scratch() + "/victim";
  write_file(scratch() + "/source", "mounted\n");
  bundle.directory("/links");
  for (const auto& [name, target] : {std::pair{"relative", "../made/one/file"},
                                     {"absolute", "/made/two/file"},
                                     {"twice", "absolute-two"},
                                     {"absolute-two", "/made/three/file"},
                                     {"directory", "../made/four"}})
    ASSERT_EQ(0, symlink(target, bundle.rootfs(std::string("/links/") + name).c_str()));
  ASSERT_EQ(0, symlink((std::string("../../../../../..") + victim + "/file").c_str(),
                       bundle.rootfs("/links/out").c_str()));
  const std::string source = scratch() + "/source";
  for (const char* name : {"relative", "absolute", "twice", "directory/file", "out"})
    bundle.mount(std::string("/links/") + name, "bind", source.c_str(), {"bind"});
  EXPECT_EQ("mounted\nmounted\nmounted\nmounted\nmounted\n",
            run_shell("cat /made/one/file /made/two/file /made/three/file /made/four/file " +
                      victim + "/file"));
  EXPECT_FALSE(exists(victim));
}

TEST_F(Mounts, OnSymbolicLinksThatLeadNowhereForEverAreRefused) {
  bundle.directory("/links");
  for (int i = 0; i < 12; ++i)
    ASSERT_EQ(0, symlink(std::to_string(i + 1).c_str(),
                         bundle.rootfs("/links/" + std::to_string(i)).c_str()));
  bundle.mount("/links/0", "bind", "/dev/null", {"bind"}).shell("echo ran");
  Container container(runtime, bundle);
  EXPECT_FAILS(container.run(), 1, "a symbolic link without a target is in the way");
}

TEST_F(Mounts, DestinationsThatLeadOutBySymbolicLinksStayInside) {
  // CVE-2019-16884 and its kin: a link of the image must be resolved in the image.
  const std::string victim = scratch() + "/victim";
  make_directories(victim);
  const std::string up = "../../../../../../../../../..";
  ASSERT_EQ(0, symlink((up + victim).c_str(), bundle.rootfs("/relative").c_str()));
  ASSERT_EQ(0, symlink(victim.c_str(), bundle.rootfs("/absolute").c_str()));
  bundle.mount("/relative/new", "tmpfs", "tmpfs", {});
  bundle.mount("/absolute", "tmpfs", "tmpfs", {});
  bundle.shell("exec sleep 100");
  Container container(runtime, bundle);
  container.create();
  EXPECT_TRUE(names_in(victim).empty()) << "the runtime made something outside the rootfs";
  EXPECT_EQ(std::string::npos, read_file("/proc/self/mountinfo").find(victim + " "));
}

TEST_F(Mounts, ADestinationThroughALinkInsideIsFollowed) {
  bundle.directory("/real");
  ASSERT_EQ(0, symlink("/real", bundle.rootfs("/link").c_str()));
  bundle.mount("/link", "tmpfs", "tmpfs", {});
  EXPECT_EQ("tmpfs", mount_at(mounts_inside(), "/real").type);
}

TEST_F(Mounts, DotDotInADestinationStaysInside) {
  bundle.mount("/../../x", "tmpfs", "tmpfs", {});
  EXPECT_EQ("tmpfs", mount_at(mounts_inside(), "/x").type);
}

TEST_F(Mounts, ProcIsNotMountedThroughASymbolicLink) {
  // A link at /proc could hide the masked paths (CVE-2019-16884).
  ASSERT_EQ(0, rmdir(bundle.rootfs("/proc").c_str()));
  bundle.directory("/elsewhere");
  ASSERT_EQ(0, symlink("/elsewhere", bundle.rootfs("/proc").c_str()));
  Container container(runtime, bundle);
  EXPECT_EQ(1, container.create().code);
}

TEST_F(Mounts, NothingIsMountedOverProc) {
  bundle.directory("/fake");
  bundle.mount("/proc/self", "tmpfs", "tmpfs", {});
  Container container(runtime, bundle);
  const Outcome outcome = container.create();
  EXPECT_EQ(1, outcome.code) << outcome;
}

TEST_F(Mounts, AnAbsentSourceIsAnErrorThatNamesIt) {
  bundle.mount("/x", "bind", scratch() + "/absent", {"bind"});
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create(), 1, scratch() + "/absent");
  EXPECT_TRUE(names_in(runtime.root()).empty());
  EXPECT_TRUE(cgroups::leftovers().empty());
}

TEST_F(Mounts, OfAFileOverADirectoryAndTheReverseAreErrorsThatSayWhy) {
  // moby looks for these words and explains.
  write_file(scratch() + "/file", "");
  bundle.directory("/x").file("/f", "");
  bundle.mount("/x", "bind", scratch() + "/file", {"bind"});
  Container container(runtime, bundle);
  Outcome outcome = container.create();
  EXPECT_EQ(1, outcome.code);
  EXPECT_SAYS(lower(outcome.err), "not a directory");
  bundle.without_mount("/x").mount("/f", "bind", scratch(), {"bind"});
  outcome = container.create();
  EXPECT_EQ(1, outcome.code);
  EXPECT_SAYS(lower(outcome.err), "not a directory");
}

TEST_F(Mounts, AnUnknownFileSystemIsAnErrorThatNamesTheMount) {
  bundle.mount("/x", "nosuchfs", "nosuchfs", {});
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create(), 1, "/x");
  EXPECT_TRUE(names_in(runtime.root()).empty());
}

TEST_F(Mounts, AnUnknownOptionGoesToTheFileSystemWhoseErrorNamesTheMount) {
  bundle.mount("/x", "tmpfs", "tmpfs", {"nosuchoption"});
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create(), 1, "/x");
  EXPECT_TRUE(names_in(runtime.root()).empty());
}

TEST_F(Mounts, ManyWork) {
  for (int i = 0; i < 100; ++i)
    bundle.mount("/many/" + std::to_string(i), "tmpfs", "tmpfs", {"size=4k"});
  const std::vector<Mount> mounts = mounts_inside();
  EXPECT_EQ(100, std::count_if(mounts.begin(), mounts.end(), [](const Mount& mount) {
              return mount.target.starts_with("/many/");
            }));
}

}  // namespace
}  // namespace harness
