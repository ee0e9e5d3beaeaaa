#include "src/linux/mount_options.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <functional>

namespace ocirt {
namespace {

MountOptions parse(std::vector<std::string> words) { return parse_mount_options(words); }

TEST(MountOptions, EveryWordOfTheSpecificationIsKnown) {
  // config.md, "Linux mount options": all that a runtime MUST or SHOULD support, and three more.
  for (std::string_view word : {"async",          "atime",         "bind",         "copy-symlink",
                                "defaults",       "dest-nofollow", "dev",          "diratime",
                                "dirsync",        "exec",          "idmap",        "iversion",
                                "lazytime",       "loud",          "mand",         "noatime",
                                "nodev",          "nodiratime",    "noexec",       "noiversion",
                                "nolazytime",     "nomand",        "norelatime",   "nostrictatime",
                                "nosuid",         "nosymfollow",   "private",      "ratime",
                                "rbind",          "rdev",          "rdiratime",    "relatime",
                                "remount",        "rexec",         "ridmap",       "rnoatime",
                                "rnodev",         "rnodiratime",   "rnoexec",      "rnorelatime",
                                "rnostrictatime", "rnosuid",       "rnosymfollow", "ro",
                                "rprivate",       "rrelatime",     "rro",          "rrw",
                                "rshared",        "rslave",        "rstrictatime", "rsuid",
                                "rsymfollow",     "runbindable",   "rw",           "shared",
                                "silent",         "slave",         "src-nofollow", "strictatime",
                                "suid",           "symfollow",     "sync",         "tmpcopyup",
                                "unbindable"}) {
    auto known = known_mount_options();
    EXPECT_TRUE(std::binary_search(known.begin(), known.end(), word)) << word;
    EXPECT_EQ(parse({std::string(word)}).data, "") << word;
  }
  EXPECT_EQ(known_mount_options().size(), 72u);
}

TEST(MountOptions, WordsThatAreNotOursGoToTheFilesystemInOrder) {
  auto options = parse({"size=64m", "nosuid", "", "mode=755", "usrquota", "NOEXEC", "Ro"});
  EXPECT_EQ(options.data, "size=64m,mode=755,usrquota,NOEXEC,Ro");
  EXPECT_EQ(options.flags, uint64_t{MS_NOSUID});
  EXPECT_EQ(parse({"defaults"}), MountOptions{});
}

TEST(MountOptions, PerMountWordsHaveBothRepresentations) {
  struct Case {
    const char* on;
    const char* off;
    uint64_t ms;
    uint64_t attr;
  };
  for (const Case& c : {Case{"ro", "rw", MS_RDONLY, MOUNT_ATTR_RDONLY},
                        Case{"nosuid", "suid", MS_NOSUID, MOUNT_ATTR_NOSUID},
                        Case{"nodev", "dev", MS_NODEV, MOUNT_ATTR_NODEV},
                        Case{"noexec", "exec", MS_NOEXEC, MOUNT_ATTR_NOEXEC},
                        Case{"nodiratime", "diratime", MS_NODIRATIME, MOUNT_ATTR_NODIRATIME},
                        Case{"nosymfollow", "symfollow", MS_NOSYMFOLLOW, kMountAttrNosymfollow}}) {
    MountOptions on;
    on.flags = c.ms;
    on.attr_set = c.attr;
    EXPECT_EQ(parse({c.on}), on) << c.on;
    EXPECT_EQ(parse({c.off, c.on}), on) << c.on;
    MountOptions off;
    off.cleared_flags = c.ms;
    off.attr_clr = c.attr;
    EXPECT_EQ(parse({c.off}), off) << c.off;
    EXPECT_EQ(parse({c.on, c.off}), off) << c.off;
    // The recursive form touches nothing but the recursive attributes.
    MountOptions rec;
    rec.rec_attr_set = c.attr;
    EXPECT_EQ(parse({std::string("r") + c.on}), rec) << c.on;
    MountOptions rec_off;
    rec_off.rec_attr_clr = c.attr;
    EXPECT_EQ(parse({std::string("r") + c.on, std::string("r") + c.off}), rec_off) << c.off;
  }
}

TEST(MountOptions, SuperblockWordsAreNoAttributes) {
  struct Case {
    const char* on;
    const char* off;
    uint64_t ms;
  };
  for (const Case& c :
       {Case{"sync", "async", MS_SYNCHRONOUS}, Case{"mand", "nomand", MS_MANDLOCK},
        Case{"lazytime", "nolazytime", MS_LAZYTIME}, Case{"silent", "loud", MS_SILENT},
        Case{"iversion", "noiversion", MS_I_VERSION}, Case{"acl", "noacl", MS_POSIXACL},
        Case{"rsync", "rasync", MS_SYNCHRONOUS}, Case{"rmand", "rnomand", MS_MANDLOCK}}) {
    MountOptions on;
    on.flags = c.ms;
    EXPECT_EQ(parse({c.on}), on) << c.on;
    MountOptions off;
    off.cleared_flags = c.ms;
    EXPECT_EQ(parse({c.on, c.off}), off) << c.off;
  }
  EXPECT_EQ(parse({"dirsync"}).flags, uint64_t{MS_DIRSYNC});
}

TEST(MountOptions, ChoosingAnAccessTimeModeClearsTheWholeField) {
  for (bool recursive : {false, true}) {
    auto field = [&](std::vector<std::string> words) {
      for (std::string& word : words) {
        if (recursive) word.insert(0, "r");
      }
      auto options = parse(words);
      return recursive ? std::pair(options.rec_attr_set, options.rec_attr_clr)
                       : std::pair(options.attr_set, options.attr_clr);
    };
    using Pair = std::pair<uint64_t, uint64_t>;
    constexpr uint64_t kField = MOUNT_ATTR__ATIME;
    EXPECT_EQ(field({"noatime"}), Pair(MOUNT_ATTR_NOATIME, kField));
    EXPECT_EQ(field({"strictatime"}), Pair(MOUNT_ATTR_STRICTATIME, kField));
    EXPECT_EQ(field({"relatime"}), Pair(MOUNT_ATTR_RELATIME, kField));
    EXPECT_EQ(field({"noatime", "strictatime"}), Pair(MOUNT_ATTR_STRICTATIME, kField));
    EXPECT_EQ(field({"strictatime", "relatime"}), Pair(MOUNT_ATTR_RELATIME, kField));
    EXPECT_EQ(field({"atime"}), Pair(MOUNT_ATTR_RELATIME, kField));
    EXPECT_EQ(field({"noatime", "atime"}), Pair(MOUNT_ATTR_RELATIME, kField));
    EXPECT_EQ(field({"strictatime", "atime"}), Pair(MOUNT_ATTR_STRICTATIME, kField));
    EXPECT_EQ(field({"strictatime", "nostrictatime"}), Pair(MOUNT_ATTR_RELATIME, kField));
    EXPECT_EQ(field({"noatime", "nostrictatime"}), Pair(MOUNT_ATTR_NOATIME, kField));
    EXPECT_EQ(field({"norelatime"}), Pair(0, 0));
    EXPECT_EQ(field({"relatime", "norelatime"}), Pair(0, 0));
    EXPECT_EQ(field({"noatime", "norelatime"}), Pair(MOUNT_ATTR_NOATIME, kField));
  }
  EXPECT_EQ(parse({"noatime", "strictatime"}).flags, uint64_t{MS_STRICTATIME});
  EXPECT_EQ(parse({"strictatime", "noatime"}).flags, uint64_t{MS_NOATIME});
  EXPECT_EQ(parse({"noatime", "atime"}).cleared_flags, uint64_t{MS_NOATIME});
}

TEST(MountOptions, BindRemountAndPropagationHaveTheirOwnMembers) {
  MountOptions bind;
  bind.bind = true;
  EXPECT_EQ(parse({"bind"}), bind);
  MountOptions rbind = bind;
  rbind.recursive_bind = true;
  EXPECT_EQ(parse({"rbind"}), rbind);
  EXPECT_EQ(parse({"rbind", "bind"}), rbind);
  MountOptions remount;
  remount.remount = true;
  EXPECT_EQ(parse({"remount"}), remount);
  EXPECT_EQ(
      parse({"slave", "rshared", "private", "runbindable"}).propagation,
      (std::vector<uint64_t>{MS_SLAVE, MS_SHARED | MS_REC, MS_PRIVATE, MS_UNBINDABLE | MS_REC}));
  EXPECT_EQ(
      parse({"shared", "rslave", "rprivate", "unbindable"}).propagation,
      (std::vector<uint64_t>{MS_SHARED, MS_SLAVE | MS_REC, MS_PRIVATE | MS_REC, MS_UNBINDABLE}));
}

TEST(MountOptions, ExtensionsAreSwitches) {
  EXPECT_TRUE(parse({"tmpcopyup"}).tmpcopyup);
  EXPECT_TRUE(parse({"copy-symlink"}).copy_symlink);
  EXPECT_TRUE(parse({"src-nofollow"}).source_nofollow);
  EXPECT_TRUE(parse({"dest-nofollow"}).dest_nofollow);
  EXPECT_TRUE(parse({"idmap"}).idmap);
  EXPECT_FALSE(parse({"ridmap", "idmap"}).recursive_idmap);
  EXPECT_TRUE(parse({"ridmap"}).recursive_idmap);
  auto options = parse({"ridmap=uids=0-1-1;gids=0-1-1"});
  EXPECT_TRUE(options.idmap && options.recursive_idmap);
  EXPECT_EQ(options.idmap_ids, "uids=0-1-1;gids=0-1-1");
  EXPECT_EQ(parse({"idmap=uids=0-1-1", "idmap"}).idmap_ids, "");
}

TEST(MountOptions, IdMapOptionsAreRangesOfThreeNumbers) {
  auto option = parse_id_map_option("uids=0-1-10#10-11-10;gids=@0-100-10");
  ASSERT_TRUE(option);
  EXPECT_EQ(option->uids, (std::vector<IdMapOptionRange>{{0, 1, 10, false}, {10, 11, 10, false}}));
  EXPECT_EQ(option->gids, (std::vector<IdMapOptionRange>{{0, 100, 10, true}}));
  for (auto wrong : {"", "uids=", "uids=1-2", "uids=1-2-0", "uids=1-2-3-4", "uids=a-2-3",
                     "pids=1-2-3", "uids=1-2-3;", "uids=1-2-3#", "uids=1-2-4294967296"}) {
    EXPECT_FALSE(parse_id_map_option(wrong)) << wrong;
  }
  EXPECT_EQ(
      parse_id_map_option("uids=1-2").error().text,
      "idmap: \"1-2\" is not a range, which is written as FILESYSTEM_ID-MOUNT_ID-SIZE with a size "
      "of at least 1, such as 0-1000-1");
}

TEST(MountOptions, FsconfigTakesTheWordsOfTheSuperblock) {
  using Words = std::vector<std::string_view>;
  EXPECT_EQ(
      fsconfig_words(parse({"lazytime", "mand", "dirsync", "sync", "ro", "nosuid", "size=1m"})),
      (Words{"ro", "sync", "dirsync", "mand", "lazytime"}));
  EXPECT_EQ(fsconfig_words(parse({"rw", "async", "nomand", "nolazytime"})),
            (Words{"rw", "async", "nomand", "nolazytime"}));
  EXPECT_EQ(fsconfig_words(parse({"nosuid", "noatime", "silent"})), Words{});
}

// ---- what the kernel says to it, in a mount namespace of its own

int in_mount_namespace(const std::function<int()>& body) {
  pid_t child = fork();
  if (child == 0) {
    if (unshare(CLONE_NEWNS) != 0) _exit(99);
    if (syscall(SYS_mount, "none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) _exit(99);
    _exit(body());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

int set_attributes(int mount, uint64_t set, uint64_t clear, unsigned flags) {
  mount_attr attr{};
  attr.attr_set = set;
  attr.attr_clr = clear;
  return syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH | flags, &attr, sizeof attr) == 0
             ? 0
             : errno;
}

TEST(MountOptions, TheKernelAcceptsTheAttributesOfEveryPairOfWords) {
  int result = in_mount_namespace([] {
    int context = static_cast<int>(syscall(SYS_fsopen, "tmpfs", 0));
    if (context < 0 || syscall(SYS_fsconfig, context, 6, nullptr, nullptr, 0) != 0) return 97;
    int mount = static_cast<int>(syscall(SYS_fsmount, context, 0, 0));
    if (mount < 0) return 97;
    auto known = known_mount_options();
    for (auto first : known) {
      for (auto second : known) {
        auto o = parse({std::string(first), std::string(second)});
        if (int error = set_attributes(mount, o.attr_set, o.attr_clr, 0)) return error;
        if (int error = set_attributes(mount, o.rec_attr_set, o.rec_attr_clr, AT_RECURSIVE))
          return error;
      }
    }
    return 0;
  });
  if (result == 99) GTEST_SKIP() << "needs CAP_SYS_ADMIN";
  EXPECT_EQ(result, 0);
}

TEST(MountOptions, TheKernelAcceptsTheFsconfigWordsOfATmpfs) {
  int result = in_mount_namespace([] {
    for (const char* word :
         {"ro", "rw", "sync", "async", "dirsync", "mand", "nomand", "lazytime", "nolazytime"}) {
      int context = static_cast<int>(syscall(SYS_fsopen, "tmpfs", 0));
      if (context < 0) return 97;
      for (std::string_view name : fsconfig_words(parse({word}))) {
        if (syscall(SYS_fsconfig, context, 0, name.data(), nullptr, 0) != 0) return errno;
      }
      if (syscall(SYS_fsconfig, context, 6, nullptr, nullptr, 0) != 0) return errno;
      ::close(context);
    }
    return 0;
  });
  if (result == 99) GTEST_SKIP() << "needs CAP_SYS_ADMIN";
  EXPECT_EQ(result, 0);
}

}  // namespace
}  // namespace ocirt
