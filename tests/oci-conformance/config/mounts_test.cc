// config.md, "Mounts": read back from the container's own mount table and by using what is mounted.
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "tests/support/fixture.h"

namespace harness {
namespace {

class Mounts : public ContainerTest {
 protected:
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
