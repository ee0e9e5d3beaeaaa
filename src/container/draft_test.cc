#include "src/container/draft.h"

#include <gmock/gmock.h>
#include <linux/sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>

#include "src/container/draft_reader.h"

namespace ocirt::container {
namespace {

using enum oci::NamespaceType;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using DraftTest = Drafting;

TEST_F(DraftTest, SaysWhatWasGiven) {
  input.purpose = plan::Purpose::run;
  input.no_pivot = true;
  spec.root->readonly = true;
  spec.hostname = "box";
  spec.domainname = "example.org";
  spec.linux->masked_paths = {"/proc/kcore", "/proc/keys"};
  spec.linux->readonly_paths = {"/proc/sys"};
  DraftReader draft = read();
  EXPECT_EQ(draft.plan().purpose, plan::Purpose::run);
  EXPECT_EQ(draft.text(draft.plan().root), "/bundle/rootfs");
  EXPECT_EQ(draft.text(draft.plan().hostname), "box");
  EXPECT_EQ(draft.text(draft.plan().domainname), "example.org");
  EXPECT_THAT(draft.texts(draft.plan().masked_paths), ElementsAre("/proc/kcore", "/proc/keys"));
  EXPECT_THAT(draft.texts(draft.plan().readonly_paths), ElementsAre("/proc/sys"));
  EXPECT_TRUE(draft.plan().build_root);
  EXPECT_TRUE(draft.plan().no_pivot);
  EXPECT_TRUE(draft.plan().readonly_root);
  EXPECT_TRUE(draft.plan().process.create_cwd);
  EXPECT_THAT(draft.draft.warnings, IsEmpty());
}

TEST_F(DraftTest, LeavesOutWhatWasNotGiven) {
  DraftReader draft = read();
  EXPECT_FALSE(draft.plan().hostname.given());
  EXPECT_FALSE(draft.plan().domainname.given());
  EXPECT_FALSE(draft.plan().no_pivot);
  EXPECT_FALSE(draft.plan().readonly_root);
  EXPECT_FALSE(draft.plan().hooks_outside);
  EXPECT_THAT(draft.texts(draft.plan().masked_paths), IsEmpty());
  EXPECT_EQ(draft.plan().process.seccomp.count, 0u);
}

TEST_F(DraftTest, NeedsALinuxSectionAndAProcess) {
  spec.process.reset();
  EXPECT_EQ(refusal(), "config.json: process: a container needs something to execute");
  spec.linux.reset();
  EXPECT_EQ(refusal(), "config.json: linux: a container needs this section");
}

TEST_F(DraftTest, SessionKeyringIsNewUnlessItIsToBeTheCallers) {
  EXPECT_TRUE(read().plan().process.new_keyring);
  input.no_new_keyring = true;
  EXPECT_FALSE(read().plan().process.new_keyring);
}

// -- namespaces

TEST_F(DraftTest, NamespacesWithoutAPathAreMade) {
  DraftReader draft = read();
  EXPECT_EQ(draft.draft.new_namespaces,
            uint64_t{CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET});
  EXPECT_THAT(draft.draft.shared, IsEmpty());
  EXPECT_TRUE(draft.draft.own_pid_namespace);
  EXPECT_TRUE(draft.plan().new_network);
}

TEST_F(DraftTest, NamespacesThatAreNotListedStayThoseOfTheRuntime) {
  spec.linux->namespaces = {{kMount}};
  DraftReader draft = read();
  EXPECT_EQ(draft.draft.new_namespaces, uint64_t{CLONE_NEWNS});
  EXPECT_EQ(draft.plan().unshare, 0u);
  EXPECT_FALSE(draft.draft.own_pid_namespace);
  EXPECT_FALSE(draft.plan().new_network);
}

TEST_F(DraftTest, NamespacesWithAPathAreJoinedAndNotMade) {
  spec.linux->namespaces = {{kMount}, {kNetwork, "/run/netns/a"}, {kPid, "/proc/1/ns/pid"}, {kUts}};
  DraftReader draft = read();
  EXPECT_EQ(draft.draft.new_namespaces, uint64_t{CLONE_NEWNS | CLONE_NEWUTS});
  ASSERT_EQ(draft.draft.shared.size(), 2u);
  EXPECT_EQ(draft.draft.shared[0].flag, uint64_t{CLONE_NEWNET});
  EXPECT_EQ(draft.draft.shared[0].path, "/run/netns/a");
  EXPECT_EQ(draft.draft.shared[1].flag, uint64_t{CLONE_NEWPID});
  EXPECT_FALSE(draft.draft.own_pid_namespace);
  EXPECT_FALSE(draft.plan().new_network);  // somebody else's loopback is not ours to set up
}

// A cgroup namespace shows what its maker was in, so it is made when init is in its cgroup.
TEST_F(DraftTest, CgroupNamespaceIsMadeByInit) {
  spec.linux->namespaces = {{kMount}, {kCgroup}};
  DraftReader draft = read();
  EXPECT_EQ(draft.draft.new_namespaces, uint64_t{CLONE_NEWNS});
  EXPECT_EQ(draft.plan().unshare, uint32_t{CLONE_NEWCGROUP});
  spec.linux->namespaces = {{kMount}, {kCgroup, "/proc/1/ns/cgroup"}};
  DraftReader joined = read();
  EXPECT_EQ(joined.plan().unshare, 0u);
  EXPECT_EQ(joined.draft.shared.size(), 1u);
}

TEST_F(DraftTest, WithoutAMountNamespaceTheHostsIsShared) {
  EXPECT_FALSE(read().plan().shares_mounts);
  spec.linux->namespaces = {{kPid}};
  EXPECT_TRUE(read().plan().build_root);
  EXPECT_TRUE(read().plan().shares_mounts);
  spec.linux->namespaces = {{kMount, "/proc/self/ns/mnt"}};  // the same, and is not entered
  EXPECT_TRUE(read().plan().shares_mounts);
  EXPECT_TRUE(read().draft.shared.empty());
}

TEST_F(DraftTest, WithoutAMountNamespaceNothingOfTheHostsRootIsChanged) {
  spec.linux->namespaces = {{kPid}};
  spec.linux->rootfs_propagation = oci::RootfsPropagation::kRprivate;
  EXPECT_THAT(refusal(), HasSubstr("linux.rootfsPropagation: without a mount namespace"));
  spec.linux->rootfs_propagation.reset();
  spec.linux->namespaces.push_back({kUser});
  EXPECT_THAT(refusal(), testing::StartsWith("not supported: linux.namespaces with \"user\""));
}

TEST_F(DraftTest, HostIsNotRenamedThroughItsOwnUtsNamespace) {
  spec.linux->namespaces = {{kMount}, {kUts, "/proc/self/ns/uts"}};
  EXPECT_EQ(refusal(), "");
  spec.hostname = "box";
  EXPECT_EQ(refusal(),
            "hostname: /proc/self/ns/uts is the uts namespace of the host, which would be renamed");
  spec.hostname.reset();
  spec.domainname = "example.org";
  EXPECT_THAT(refusal(), HasSubstr("is the uts namespace of the host, which would be renamed"));
}

TEST_F(DraftTest, WhatCannotBeDoneYetIsRefusedByItsName) {
  const oci::Linux plain = *spec.linux;
  auto refused = [&](auto change) {
    spec.linux = plain;
    change(*spec.linux);
    return refusal();
  };
  EXPECT_THAT(refused([](oci::Linux& l) { l.intel_rdt.emplace(); }),
              testing::StartsWith("not supported: linux.intelRdt: no resctrl file system"));
  EXPECT_EQ(refused([](oci::Linux& l) { l.mount_label = ""; }), "");
  EXPECT_THAT(refused([](oci::Linux& l) { l.mount_label = "u:r:t"; }),
              testing::StartsWith("not supported: linux.mountLabel: \"u:r:t\""));
}

// -- propagation

TEST_F(DraftTest, RootPropagationFollowsTheConfiguration) {
  using enum oci::RootfsPropagation;
  struct {
    oci::RootfsPropagation word;
    uint64_t root, final;
  } constexpr kTable[] = {
      {kShared, MS_SHARED, MS_SHARED},
      {kRshared, MS_SHARED | MS_REC, MS_SHARED},
      {kSlave, MS_SLAVE, 0},
      {kRslave, MS_SLAVE | MS_REC, 0},
      {kPrivate, MS_PRIVATE, 0},
      {kRprivate, MS_PRIVATE | MS_REC, 0},
      // Nothing can be bound from an unbindable tree, so it becomes so at the end.
      {kUnbindable, MS_SLAVE | MS_REC, MS_UNBINDABLE},
      {kRunbindable, MS_SLAVE | MS_REC, MS_UNBINDABLE},
  };
  for (const auto& row : kTable) {
    spec.linux->rootfs_propagation = row.word;
    DraftReader draft = read();
    EXPECT_EQ(draft.plan().root_propagation, row.root) << oci::to_string(row.word);
    EXPECT_EQ(draft.plan().final_propagation, row.final) << oci::to_string(row.word);
  }
}

TEST_F(DraftTest, MountsOfTheHostAreNeverSharedByDefault) {
  DraftReader draft = read();
  EXPECT_EQ(draft.plan().root_propagation, uint32_t{MS_SLAVE | MS_REC});
  EXPECT_EQ(draft.plan().final_propagation, 0u);
}

// -- devices

std::vector<std::string> device_paths(const DraftReader& draft) {
  std::vector<std::string> paths;
  for (const plan::Device& device : draft.list(draft.plan().devices))
    paths.push_back(draft.text(device.path));
  return paths;
}

plan::Device device_at(const DraftReader& draft, std::string_view path) {
  for (const plan::Device& device : draft.list(draft.plan().devices)) {
    if (draft.text(device.path) == path) return device;
  }
  ADD_FAILURE() << "no device " << path;
  return {};
}

TEST_F(DraftTest, DefaultDevicesAreAlwaysThere) {
  DraftReader draft = read();
  EXPECT_THAT(device_paths(draft), ElementsAre("/dev/null", "/dev/zero", "/dev/full", "/dev/random",
                                               "/dev/urandom", "/dev/tty"));
  plan::Device null = device_at(draft, "/dev/null");
  EXPECT_EQ(null.mode, uint32_t{S_IFCHR | 0666});
  EXPECT_EQ(null.major, 1u);
  EXPECT_EQ(null.minor, 3u);
}

TEST_F(DraftTest, DevicesHaveTypeNumbersPermissionsAndOwner) {
  using enum oci::DeviceType;
  spec.linux->devices = {
      {.type = kBlock,
       .path = "/dev/sda",
       .major = 8,
       .minor = 1,
       .file_mode = 0640,
       .uid = 5,
       .gid = 6},
      {.type = kUnbuffered, .path = "/dev/u", .major = 4095, .minor = 1048575},
      {.type = kFifo, .path = "/run/fifo"},
  };
  DraftReader draft = read();
  plan::Device disk = device_at(draft, "/dev/sda");
  EXPECT_EQ(disk.mode, uint32_t{S_IFBLK | 0640});
  EXPECT_EQ(disk.major, 8u);
  EXPECT_EQ(disk.minor, 1u);
  EXPECT_EQ(disk.uid, 5u);
  EXPECT_EQ(disk.gid, 6u);
  plan::Device last = device_at(draft, "/dev/u");
  EXPECT_EQ(last.mode, uint32_t{S_IFCHR | 0666});
  EXPECT_EQ(last.major, 4095u);
  EXPECT_EQ(last.minor, 1048575u);
  EXPECT_EQ(last.uid, 0u);
  EXPECT_EQ(device_at(draft, "/run/fifo").mode, uint32_t{S_IFIFO | 0666});
}

// Callers write a whole st_mode.
TEST_F(DraftTest, FileModeIsPermissionsOnly) {
  spec.linux->devices = {{.type = oci::DeviceType::kCharacter,
                          .path = "/dev/x",
                          .major = 1,
                          .minor = 2,
                          .file_mode = S_IFBLK | 01600}};
  EXPECT_EQ(device_at(read(), "/dev/x").mode, uint32_t{S_IFCHR | 01600});
}

TEST_F(DraftTest, ConfiguredDeviceTakesThePlaceOfTheDefault) {
  spec.linux->devices = {{.type = oci::DeviceType::kCharacter,
                          .path = "/dev/../dev//null",
                          .major = 1,
                          .minor = 3,
                          .file_mode = 0600}};
  DraftReader draft = read();
  EXPECT_THAT(device_paths(draft), ElementsAre("/dev/zero", "/dev/full", "/dev/random",
                                               "/dev/urandom", "/dev/tty", "/dev/null"));
  EXPECT_EQ(device_at(draft, "/dev/null").mode, uint32_t{S_IFCHR | 0600});
}

TEST_F(DraftTest, PtmxAndTheConsoleOfATerminalAreNotMadeAsDevices) {
  using enum oci::DeviceType;
  spec.linux->devices = {{.type = kCharacter, .path = "/dev/ptmx", .major = 5, .minor = 2},
                         {.type = kCharacter, .path = "/dev/console", .major = 5, .minor = 1}};
  EXPECT_THAT(device_paths(read()), testing::Contains("/dev/console"));
  EXPECT_THAT(device_paths(read()), testing::Not(testing::Contains("/dev/ptmx")));
  spec.process->terminal = true;
  EXPECT_THAT(device_paths(read()), testing::Not(testing::Contains("/dev/console")));
}

TEST_F(DraftTest, DeviceNumberThatTheKernelWouldCutIsRefused) {
  using enum oci::DeviceType;
  auto refused = [&](std::optional<int64_t> major, std::optional<int64_t> minor) {
    spec.linux->devices = {{.type = kFifo, .path = "/dev/f"},
                           {.type = kBlock, .path = "/dev/x", .major = major, .minor = minor}};
    return refusal();
  };
  EXPECT_EQ(refused(4096, 0),
            "linux.devices[1] (/dev/x): a device number is 0 to 4095 : 0 to 1048575, found 4096:0");
  EXPECT_THAT(refused(0, 1048576), HasSubstr("found 0:1048576"));
  EXPECT_THAT(refused(-1, 0), HasSubstr("found -1:0"));
  EXPECT_THAT(refused(1, std::nullopt), HasSubstr("linux.devices[1]"));
  EXPECT_EQ(refused(0, 0), "");
}

TEST_F(DraftTest, CoreIsLinkedOnlyWhereThereIsAKcore) {
  DraftReader draft = read();
  std::vector<std::string> all, conditional;
  for (const plan::Link& link : draft.list(draft.plan().links)) {
    (link.only_if_target ? conditional : all)
        .push_back(draft.text(link.path) + " -> " + draft.text(link.target));
  }
  EXPECT_THAT(all, ElementsAre("/dev/fd -> /proc/self/fd", "/dev/stdin -> /proc/self/fd/0",
                               "/dev/stdout -> /proc/self/fd/1", "/dev/stderr -> /proc/self/fd/2",
                               "/dev/ptmx -> pts/ptmx"));
  EXPECT_THAT(conditional, ElementsAre("/dev/core -> /proc/kcore"));
}

// -- sysctl

TEST_F(DraftTest, SysctlsOfItsNamespacesBecomePathsInTheOrderGiven) {
  spec.linux->sysctl = {{"net.ipv4.ip_forward", "1"}, {"kernel.shmmax", "65536"}};
  DraftReader draft = read();
  auto sysctls = draft.list(draft.plan().sysctls);
  ASSERT_EQ(sysctls.size(), 2u);
  EXPECT_EQ(draft.text(sysctls[0].path), "net/ipv4/ip_forward");
  EXPECT_EQ(draft.text(sysctls[0].value), "1");
  EXPECT_EQ(draft.text(sysctls[1].path), "kernel/shmmax");
  EXPECT_EQ(draft.text(sysctls[1].value), "65536");
}

TEST_F(DraftTest, SysctlOfANamespaceOfTheHostIsRefused) {
  const std::pair<const char*, oci::NamespaceType> kNeeds[] = {
      {"net.ipv4.ip_forward", kNetwork}, {"kernel.sem", kIpc}, {"kernel.domainname", kUts}};
  for (auto [key, type] : kNeeds) {
    spec.linux->sysctl = {{key, "1"}};
    spec.linux->namespaces = {{kMount}, {type}};
    EXPECT_EQ(refusal(), "") << key;
    spec.linux->namespaces = {{kMount}, {kPid}};
    EXPECT_THAT(refusal(), HasSubstr(std::string("linux.sysctl: sysctl \"") + key +
                                     "\" would change the host: it needs"));
  }
}

// To join our own namespace is to share it with the host.
TEST_F(DraftTest, SysctlOfAJoinedNamespaceThatIsOurOwnIsRefused) {
  spec.linux->sysctl = {{"net.ipv4.ip_forward", "1"}};
  spec.linux->namespaces = {{kMount}, {kNetwork, "/run/netns/of-the-container"}};
  EXPECT_EQ(refusal(), "");
  spec.linux->namespaces = {{kMount}, {kNetwork, "/proc/self/ns/net"}};
  EXPECT_THAT(refusal(), HasSubstr("would change the host: it needs a network namespace"));
}

TEST_F(DraftTest, SysctlOfTheWholeHostIsRefused) {
  spec.linux->sysctl = {{"vm.swappiness", "1"}};
  EXPECT_THAT(refusal(),
              testing::StartsWith("linux.sysctl: sysctl \"vm.swappiness\" is not in a "));
}

TEST_F(DraftTest, SysctlAndDomainnameDoNotGoTogether) {
  spec.linux->sysctl = {{"kernel.domainname", "x"}};
  EXPECT_EQ(refusal(), "");
  spec.domainname = "example.org";
  EXPECT_THAT(refusal(), HasSubstr("conflicts with the property domainname"));
}

// -- seccomp

TEST_F(DraftTest, SeccompFilterIsCompiledIntoThePlanAndKept) {
  spec.linux->seccomp =
      oci::Seccomp{.default_action = oci::SeccompAction::kAllow,
                   .flags = {oci::SeccompFlag::kLog},
                   .syscalls = {{.names = {"reboot"}, .action = oci::SeccompAction::kErrno}}};
  DraftReader draft = read();
  auto program = draft.list(draft.plan().process.seccomp);
  EXPECT_GT(program.size(), 3u);
  EXPECT_TRUE(std::ranges::equal(program, draft.draft.seccomp));
  EXPECT_EQ(draft.plan().process.seccomp_flags, 2u);  // SECCOMP_FILTER_FLAG_LOG
}

TEST_F(DraftTest, SeccompRefusalsNameTheirPlaceAndWarningsAreHandedOn) {
  oci::Syscall rule{
      .names = {"reboot"}, .action = oci::SeccompAction::kErrno, .args = {{.index = 6}}};
  spec.linux->seccomp = oci::Seccomp{.syscalls = {rule}};
  EXPECT_THAT(refusal(), testing::StartsWith("linux.seccomp.syscalls[0].args[0].index: "));
  rule.args.clear();
  rule.names = {"no_such_system_call", "reboot"};
  spec.linux->seccomp = oci::Seccomp{.syscalls = {rule}};
  DraftReader draft = read();
  ASSERT_EQ(draft.draft.warnings.size(), 1u);
  EXPECT_THAT(draft.draft.warnings[0], HasSubstr("no_such_system_call"));
}

TEST_F(DraftTest, SeccompNotificationsNeedAListener) {
  spec.linux->seccomp =
      oci::Seccomp{.syscalls = {{.names = {"mount"}, .action = oci::SeccompAction::kNotify}}};
  EXPECT_THAT(refusal(), HasSubstr("linux.seccomp"));
}

}  // namespace
}  // namespace ocirt::container
