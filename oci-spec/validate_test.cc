#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "oci-spec/documents.h"

namespace oci {
namespace {

using testing::HasSubstr;

// "property: text" of the first broken rule, or "valid".
std::string broken(const Spec& spec) {
  const auto error = validate(spec);
  return error ? error->message() : "valid";
}

class Validate : public testing::Test {
 protected:
  Process& process() { return *spec.process; }
  Linux& linux() { return *spec.linux; }
  void remove_namespace(NamespaceType type) {
    std::erase_if(linux().namespaces, [&](const Namespace& n) { return n.type == type; });
  }
  Spec spec = default_spec(false);
};

TEST_F(Validate, AcceptsTheDefaultConfigurations) {
  EXPECT_EQ(broken(spec), "valid");
  EXPECT_EQ(broken(default_spec(true, 1000, 1000)), "valid");
}

TEST_F(Validate, AcceptsTheSmallestConfiguration) {
  Spec small;
  small.oci_version = "1.0.0";
  small.root = Root{.path = "rootfs"};
  EXPECT_EQ(broken(small), "valid");
}

TEST_F(Validate, OciVersionMustBeASemanticVersion) {
  for (const char* good : {"1.0.0", "1.0.2-dev", "1.2.1", "1.3.0", "1.0.0-rc5", "1.1.0+dev",
                           "1.99.0-rc.1+build.5", "1.3.0-x-y.7"}) {
    spec.oci_version = good;
    EXPECT_EQ(broken(spec), "valid") << good;
  }
  for (const char* bad :
       {"", "1", "1.0", "1.0.0.0", "v1.0.0", "01.0.0", "1.00.0", "1.0.0-", "1.0.0+", "1.0.0-a..b",
        "1.0.0 ", "1.0.0+a+b", "1.0.x", "1.0.0-a_b", "1..0", ".1.0"}) {
    spec.oci_version = bad;
    EXPECT_THAT(broken(spec), HasSubstr("ociVersion: must be a semantic version")) << bad;
  }
}

TEST_F(Validate, OciVersionMustBeOfTheOneSeries) {
  for (const char* bad : {"0.5.0-dev", "2.0.0", "10.0.0"}) {
    spec.oci_version = bad;
    EXPECT_THAT(broken(spec), HasSubstr("not supported; supported are 1.0.0 to 1.3.0")) << bad;
  }
}

TEST_F(Validate, RootIsRequiredOnLinux) {
  spec.root.reset();
  EXPECT_EQ(broken(spec), "root: required, but missing");
  spec.root = Root{};
  EXPECT_EQ(broken(spec), "root.path: must not be empty");
}

TEST_F(Validate, ProcessIsOptional) {
  spec.process.reset();
  EXPECT_EQ(broken(spec), "valid");
}

TEST_F(Validate, CwdMustBeAbsolute) {
  for (const char* bad : {"", "tmp", "./"}) {
    process().cwd = bad;
    EXPECT_EQ(broken(spec), "process.cwd: must be an absolute path");
  }
}

TEST_F(Validate, ArgsMustHaveAnEntry) {
  process().args.clear();
  EXPECT_EQ(broken(spec), "process.args: must have at least one element");
}

TEST_F(Validate, EnvironmentMustBeOfNamesAndValues) {
  process().env = {"A=", "B=x=y"};
  EXPECT_EQ(broken(spec), "valid");
  for (const char* bad : {"A", "", "=x"}) {
    process().env[1] = bad;
    EXPECT_THAT(broken(spec), HasSubstr("process.env[1]: must have the form NAME=value"));
  }
}

TEST_F(Validate, RlimitsMustNotRepeatAType) {
  process().rlimits = {{.type = "RLIMIT_CORE"}, {.type = "RLIMIT_NOFILE"}, {.type = "RLIMIT_CORE"}};
  EXPECT_EQ(broken(spec), "process.rlimits[2].type: RLIMIT_CORE is given more than once");
}

TEST_F(Validate, SoftLimitsMustNotExceedHardOnes) {
  process().rlimits[0].soft = process().rlimits[0].hard + 1;
  EXPECT_EQ(broken(spec), "process.rlimits[0].soft: must not be larger than the hard limit");
}

TEST_F(Validate, ConsoleSizeMustFitTheKernelsStructure) {
  process().console_size = ConsoleSize{.height = 65536, .width = 80};
  EXPECT_EQ(broken(spec), "process.consoleSize.height: must be at most 65535");
  process().console_size = ConsoleSize{.height = 65535, .width = 65536};
  EXPECT_EQ(broken(spec), "process.consoleSize.width: must be at most 65535");
  process().terminal = false;  // "ignored"
  EXPECT_EQ(broken(spec), "valid");
}

TEST_F(Validate, OomScoreAdjMustBeInTheKernelsRange) {
  for (const int good : {-1000, 0, 1000}) {
    process().oom_score_adj = good;
    EXPECT_EQ(broken(spec), "valid");
  }
  for (const int bad : {-1001, 1001}) {
    process().oom_score_adj = bad;
    EXPECT_EQ(broken(spec), "process.oomScoreAdj: must be from -1000 to 1000");
  }
}

TEST_F(Validate, SchedulerSettingsMustFitThePolicy) {
  process().scheduler = Scheduler{.policy = SchedulerPolicy::kOther, .nice = 20};
  EXPECT_EQ(broken(spec), "process.scheduler.nice: must be from -20 to 19");
  process().scheduler->nice = -21;
  EXPECT_EQ(broken(spec), "process.scheduler.nice: must be from -20 to 19");
  process().scheduler = Scheduler{.policy = SchedulerPolicy::kBatch, .priority = 1};
  EXPECT_THAT(broken(spec), HasSubstr("process.scheduler.priority: is only for"));
  process().scheduler->policy = SchedulerPolicy::kRr;
  EXPECT_EQ(broken(spec), "valid");
  process().scheduler->period = 5;
  EXPECT_THAT(broken(spec), HasSubstr("process.scheduler.period: is only for"));
  process().scheduler =
      Scheduler{.policy = SchedulerPolicy::kDeadline, .runtime = 1, .deadline = 2, .period = 3};
  EXPECT_EQ(broken(spec), "valid");
}

TEST_F(Validate, IoPriorityHasEightLevels) {
  process().io_priority = IoPriority{.priority = 8};
  EXPECT_EQ(broken(spec), "process.ioPriority.priority: must be from 0 to 7");
  process().io_priority->priority = -1;
  EXPECT_EQ(broken(spec), "process.ioPriority.priority: must be from 0 to 7");
  process().io_priority->priority = 7;
  EXPECT_EQ(broken(spec), "valid");
}

TEST_F(Validate, HostnameAndDomainnameNeedAUtsNamespace) {
  spec.domainname = "example";
  remove_namespace(NamespaceType::kUts);
  EXPECT_EQ(broken(spec), "hostname: needs an entry of type \"uts\" in linux.namespaces");
  spec.hostname.reset();
  EXPECT_EQ(broken(spec), "domainname: needs an entry of type \"uts\" in linux.namespaces");
  linux().namespaces.push_back({.type = NamespaceType::kUts, .path = "/proc/1/ns/uts"});
  EXPECT_EQ(broken(spec), "valid");
  spec.linux.reset();
  EXPECT_EQ(broken(spec), "domainname: needs an entry of type \"uts\" in linux.namespaces");
}

TEST_F(Validate, MountDestinationsMayBeRelativeButNotEmpty) {
  spec.mounts[1].destination = "dev";
  EXPECT_EQ(broken(spec), "valid");
  spec.mounts[1].destination = "";
  EXPECT_EQ(broken(spec), "mounts[1].destination: must not be empty");
}

TEST_F(Validate, IdMappedMountsNeedBothMappings) {
  spec.mounts[0].uid_mappings = {{.container_id = 0, .host_id = 1000, .size = 1}};
  EXPECT_THAT(broken(spec),
              HasSubstr("mounts[0].uidMappings: uidMappings and gidMappings must be"));
  std::swap(spec.mounts[0].uid_mappings, spec.mounts[0].gid_mappings);
  EXPECT_THAT(broken(spec),
              HasSubstr("mounts[0].gidMappings: uidMappings and gidMappings must be"));
  spec.mounts[0].uid_mappings = spec.mounts[0].gid_mappings;
  EXPECT_EQ(broken(spec), "valid");
  spec.mounts[0].gid_mappings[0].size = 0;
  EXPECT_EQ(broken(spec), "mounts[0].gidMappings[0].size: must be at least 1");
}

TEST_F(Validate, HookPathsMustBeAbsoluteAndTimeoutsPositive) {
  spec.hooks = Hooks{.create_container = {{.path = "/bin/a", .timeout = 1}, {.path = "b"}}};
  EXPECT_EQ(broken(spec), "hooks.createContainer[1].path: must be an absolute path");
  spec.hooks->create_container[1] = {.path = "/b", .timeout = 0};
  EXPECT_EQ(broken(spec), "hooks.createContainer[1].timeout: must be greater than zero");
}

TEST_F(Validate, AnnotationNamesMustNotBeEmpty) {
  spec.annotations.set("", "x");
  EXPECT_THAT(broken(spec), HasSubstr("annotations[\"\"]: the name of an annotation"));
}

TEST_F(Validate, NamespaceTypesMustNotRepeat) {
  linux().namespaces.push_back({.type = NamespaceType::kPid, .path = "/proc/1/ns/pid"});
  EXPECT_EQ(broken(spec), "linux.namespaces[6].type: the type \"pid\" is listed twice");
}

TEST_F(Validate, NamespacePathsMustBeAbsolute) {
  linux().namespaces[0].path = "proc/1/ns/pid";
  EXPECT_EQ(broken(spec), "linux.namespaces[0].path: must be an absolute path");
}

TEST_F(Validate, IdMappingsNeedAUserNamespace) {
  linux().uid_mappings = {{.container_id = 0, .host_id = 1000, .size = 1}};
  EXPECT_THAT(broken(spec), HasSubstr("linux.uidMappings: needs an entry of type \"user\""));
  std::swap(linux().uid_mappings, linux().gid_mappings);
  EXPECT_THAT(broken(spec), HasSubstr("linux.gidMappings: needs an entry of type \"user\""));
  linux().namespaces.push_back({.type = NamespaceType::kUser});
  EXPECT_EQ(broken(spec), "valid");
}

TEST_F(Validate, IdMappingsMustBeWhatTheKernelTakes) {
  linux().namespaces.push_back({.type = NamespaceType::kUser});
  linux().uid_mappings = {{.container_id = 0, .host_id = 0, .size = 0}};
  EXPECT_EQ(broken(spec), "linux.uidMappings[0].size: must be at least 1");
  linux().uid_mappings = {{.container_id = 1, .host_id = 0, .size = 4294967295u}};
  EXPECT_THAT(broken(spec), HasSubstr("linux.uidMappings[0].size: the range ends beyond"));
  linux().uid_mappings = {{.container_id = 0, .host_id = 0, .size = 4294967295u}};
  EXPECT_EQ(broken(spec), "valid");
  linux().uid_mappings = {{10, 100, 10}, {0, 200, 11}};
  EXPECT_THAT(broken(spec), HasSubstr("linux.uidMappings[1].containerID: the range overlaps"));
  linux().uid_mappings = {{10, 100, 10}, {0, 109, 10}};
  EXPECT_THAT(broken(spec), HasSubstr("linux.uidMappings[1].hostID: the range overlaps"));
  linux().uid_mappings = {{10, 100, 10}, {0, 110, 10}, {20, 90, 10}};
  EXPECT_EQ(broken(spec), "valid");
}

TEST_F(Validate, TimeOffsetsNeedANewTimeNamespace) {
  linux().time_offsets = TimeOffsets{};
  EXPECT_EQ(broken(spec), "valid");
  linux().time_offsets->monotonic = TimeOffset{.secs = -5, .nanosecs = 999999999};
  EXPECT_THAT(broken(spec),
              HasSubstr("linux.timeOffsets.monotonic: needs an entry of type \"time\""));
  linux().namespaces.push_back({.type = NamespaceType::kTime, .path = "/proc/1/ns/time"});
  EXPECT_THAT(broken(spec),
              HasSubstr("linux.timeOffsets.monotonic: needs an entry of type \"time\""));
  linux().namespaces.back().path.reset();
  EXPECT_EQ(broken(spec), "valid");
  linux().time_offsets->monotonic->nanosecs = 1000000000;
  EXPECT_EQ(broken(spec), "linux.timeOffsets.monotonic.nanosecs: must be below 1000000000");
}

TEST_F(Validate, DevicesNeedAnAbsolutePathAndTheirNumbers) {
  linux().devices = {{.type = DeviceType::kFifo, .path = "/dev/fifo"}};
  EXPECT_EQ(broken(spec), "valid");
  linux().devices[0].path = "dev/fifo";
  EXPECT_EQ(broken(spec), "linux.devices[0].path: must be an absolute path");
  linux().devices[0] = {.type = DeviceType::kCharacter, .path = "/dev/x", .minor = 3};
  EXPECT_EQ(broken(spec), "linux.devices[0].major: required for a device of type \"c\"");
  linux().devices[0] = {.type = DeviceType::kBlock, .path = "/dev/x", .major = 3};
  EXPECT_EQ(broken(spec), "linux.devices[0].minor: required for a device of type \"b\"");
  linux().devices[0].minor = -1;
  EXPECT_EQ(broken(spec), "linux.devices[0].minor: must not be negative");
  linux().devices[0].minor = 0;
  EXPECT_EQ(broken(spec), "valid");
}

TEST_F(Validate, NetDevicesNeedValidNamesAndANetworkNamespace) {
  linux().net_devices.set("eth0", {.name = "container_eth0x"});  // 15 bytes
  linux().net_devices.set("ens4", {});
  EXPECT_EQ(broken(spec), "valid");
  for (const char* bad :
       {"container_eth0xy", ".", "..", "a/b", "a:b", "a b", "a\n", "a%", "a%s", "a%d%d", "%%d"}) {
    linux().net_devices.set("eth0", {.name = bad});
    EXPECT_EQ(broken(spec),
              "linux.netDevices[\"eth0\"].name: is not a valid name of a network interface");
  }
  linux().net_devices.set("eth0", {.name = "ens4"});
  EXPECT_EQ(broken(spec),
            "linux.netDevices: two interfaces would be called \"ens4\" in the container");
  // With "%d" the kernel chooses the number.
  linux().net_devices.set("eth0", {.name = "eth%d"});
  linux().net_devices.set("ens4", {.name = "eth%d"});
  EXPECT_EQ(broken(spec), "valid");
  linux().net_devices.set("eth0", {});
  remove_namespace(NamespaceType::kNetwork);
  EXPECT_THAT(broken(spec), HasSubstr("linux.netDevices: needs an entry of type \"network\""));
  linux().net_devices = {};
  linux().net_devices.set("", {});
  EXPECT_THAT(broken(spec), HasSubstr("linux.netDevices[\"\"]: is not a valid name"));
}

TEST_F(Validate, SysctlNamesMustNotLeadOutOfTheirDirectory) {
  for (const char* good :
       {"net.ipv4.ip_forward", "net/ipv4/conf/eth0.100/rp_filter", "kernel.shm_rmid_forced"}) {
    linux().sysctl = {};
    linux().sysctl.set(good, "1");
    EXPECT_EQ(broken(spec), "valid") << good;
  }
  for (const char* bad :
       {"", ".", "/", "..", "net..x", "net/../x", "/etc/passwd", "net.", "net./x", "../x"}) {
    linux().sysctl = {};
    linux().sysctl.set(bad, "1");
    EXPECT_THAT(broken(spec), HasSubstr("linux.sysctl[")) << bad;
  }
}

TEST_F(Validate, MaskedAndReadonlyPathsMustBeAbsolute) {
  linux().masked_paths.push_back("proc/x");
  EXPECT_EQ(broken(spec), "linux.maskedPaths[10]: must be an absolute path");
  linux().masked_paths.pop_back();
  linux().readonly_paths[0] = "";
  EXPECT_EQ(broken(spec), "linux.readonlyPaths[0]: must be an absolute path");
}

TEST_F(Validate, ClosIdMustBeTheNameOfADirectory) {
  for (const char* bad : {".", "..", "a/b", "/a", "//"}) {
    linux().intel_rdt = IntelRdt{.clos_id = bad};
    EXPECT_THAT(broken(spec), HasSubstr("linux.intelRdt.closID:"));
  }
  for (const char* good : {"guaranteed_group", "/"}) {
    linux().intel_rdt = IntelRdt{.clos_id = good};
    EXPECT_EQ(broken(spec), "valid");
  }
}

TEST_F(Validate, SchemataOfIntelRdtMustBeSingleLines) {
  for (const char* bad : {"L3:0=f", "0=20", "MB:0=20\nL3:0=f", "MB:0=20\n"}) {
    linux().intel_rdt = IntelRdt{.mem_bw_schema = bad};
    EXPECT_THAT(broken(spec), HasSubstr("linux.intelRdt.memBwSchema:"));
  }
  linux().intel_rdt = IntelRdt{.schemata = {"L3:0=f", "MB:0=20\nL2:0=f"}};
  EXPECT_THAT(broken(spec), HasSubstr("linux.intelRdt.schemata[1]:"));
  linux().intel_rdt = IntelRdt{.schemata = {"L3:0=f"}, .mem_bw_schema = "MB:0=20"};
  EXPECT_EQ(broken(spec), "valid");
}

TEST_F(Validate, MemoryPolicyMustBeComplete) {
  using enum MemoryPolicyMode;
  linux().memory_policy = MemoryPolicy{.nodes = "0"};
  EXPECT_EQ(broken(spec), "linux.memoryPolicy.mode: required, but missing");
  for (const MemoryPolicyMode mode : {kBind, kInterleave, kPreferredMany, kWeightedInterleave}) {
    linux().memory_policy = MemoryPolicy{.mode = mode};
    EXPECT_THAT(broken(spec), HasSubstr("linux.memoryPolicy.nodes: required for the mode"));
    linux().memory_policy->nodes = "0-1,3";
    EXPECT_EQ(broken(spec), "valid");
    linux().memory_policy->nodes = "all";
    EXPECT_THAT(broken(spec),
                HasSubstr("linux.memoryPolicy.nodes: must be a list of memory nodes"));
  }
  for (const MemoryPolicyMode mode : {kDefault, kLocal}) {
    linux().memory_policy = MemoryPolicy{.mode = mode, .nodes = "0"};
    EXPECT_THAT(broken(spec), HasSubstr("linux.memoryPolicy.nodes: must be empty for the mode"));
    linux().memory_policy->nodes.reset();
    EXPECT_EQ(broken(spec), "valid");
  }
  linux().memory_policy =
      MemoryPolicy{.mode = kPreferred,
                   .flags = {MemoryPolicyFlag::kStaticNodes, MemoryPolicyFlag::kRelativeNodes}};
  EXPECT_THAT(broken(spec), HasSubstr("linux.memoryPolicy.flags:"));
}

TEST_F(Validate, PersonalityNeedsADomain) {
  linux().personality = Personality{};
  EXPECT_EQ(broken(spec), "linux.personality.domain: required, but missing");
}

TEST_F(Validate, ListenerMetadataNeedsAListenerPath) {
  linux().seccomp = Seccomp{.listener_metadata = "x"};
  EXPECT_EQ(broken(spec), "linux.seccomp.listenerMetadata: must not be set without listenerPath");
  linux().seccomp->listener_path = "/run/agent.sock";
  EXPECT_EQ(broken(spec), "valid");
}

TEST_F(Validate, SeccompErrnoNeedsAnActionThatReturnsOne) {
  linux().seccomp = Seccomp{.default_action = SeccompAction::kAllow, .default_errno_ret = 1};
  EXPECT_THAT(broken(spec), HasSubstr("linux.seccomp.defaultErrnoRet: is only for"));
  for (const SeccompAction action : {SeccompAction::kErrno, SeccompAction::kTrace}) {
    linux().seccomp->default_action = action;
    EXPECT_EQ(broken(spec), "valid");
  }
  linux().seccomp->syscalls = {{.names = {"read"}, .action = SeccompAction::kKill, .errno_ret = 1}};
  EXPECT_THAT(broken(spec), HasSubstr("linux.seccomp.syscalls[0].errnoRet: is only for"));
}

TEST_F(Validate, SyscallRulesNeedNamesAndOneOfSixArguments) {
  linux().seccomp = Seccomp{.syscalls = {{.names = {}}}};
  EXPECT_THAT(broken(spec), HasSubstr("linux.seccomp.syscalls[0].names:"));
  linux().seccomp->syscalls = {{.names = {"read"}, .args = {{.index = 5}, {.index = 6}}}};
  EXPECT_EQ(broken(spec), "linux.seccomp.syscalls[0].args[1].index: must be from 0 to 5");
}

TEST_F(Validate, DeviceRulesMustBeOfKnownTypeAndAccess) {
  Resources& resources = *linux().resources;
  for (const char* good : {"a", "b", "c"}) {
    resources.devices[0].type = good;
    EXPECT_EQ(broken(spec), "valid");
  }
  resources.devices[0].type = "p";
  EXPECT_THAT(broken(spec), HasSubstr("linux.resources.devices[0].type: must be one of a, b, c"));
  resources.devices[0] = {.allow = true, .access = "rx"};
  EXPECT_THAT(broken(spec), HasSubstr("linux.resources.devices[0].access: must be composed of"));
  resources.devices[0] = {.allow = true, .access = "rwa"};
  EXPECT_THAT(broken(spec), HasSubstr("linux.resources.devices[0].access: must be composed of"));
  resources.devices[0] = {.allow = false, .access = "rwa"};
  EXPECT_EQ(broken(spec), "valid");
  resources.devices[0] = {.allow = true, .type = "c", .major = -1, .minor = -1, .access = "wmr"};
  EXPECT_EQ(broken(spec), "valid");
  resources.devices[0].access.reset();
  EXPECT_EQ(broken(spec),
            "linux.resources.devices[0].access: a rule that allows must say what: r, w or m");
  resources.devices[0] = {.allow = false};
  EXPECT_EQ(broken(spec), "valid");
  resources.devices[0].major = -2;
  EXPECT_EQ(broken(spec), "linux.resources.devices[0].major: must be at least -1");
  resources.devices[0].major = 1;
  resources.devices[0].minor = -2;
  EXPECT_EQ(broken(spec), "linux.resources.devices[0].minor: must be at least -1");
}

TEST_F(Validate, MemoryLimitsAreBytesOrMinusOne) {
  linux().resources->memory = Memory{.limit = -1, .swap = -2};
  EXPECT_THAT(broken(spec), HasSubstr("linux.resources.memory.swap: must be a number of bytes"));
  linux().resources->memory = Memory{.swappiness = 101};
  EXPECT_EQ(broken(spec), "linux.resources.memory.swappiness: must be from 0 to 100");
}

TEST_F(Validate, BurstMustNotExceedAPositiveQuota) {
  linux().resources->cpu = Cpu{.quota = 1000, .burst = 1001};
  EXPECT_EQ(broken(spec), "linux.resources.cpu.burst: must not be larger than quota");
  linux().resources->cpu->quota = -1;
  EXPECT_EQ(broken(spec), "valid");
  linux().resources->cpu->idle = 2;
  EXPECT_EQ(broken(spec), "linux.resources.cpu.idle: must be 0 or 1");
}

TEST_F(Validate, WeightDevicesNeedAWeight) {
  linux().resources->block_io = BlockIo{.weight = 0, .weight_device = {{.major = 8, .minor = 0}}};
  EXPECT_THAT(broken(spec), HasSubstr("linux.resources.blockIO.weightDevice[0]: needs weight"));
  linux().resources->block_io->weight_device[0].leaf_weight = 10;
  EXPECT_EQ(broken(spec), "valid");
}

TEST_F(Validate, RdmaEntriesNeedALimit) {
  linux().resources->rdma.set("mlx5_1", {});
  EXPECT_EQ(broken(spec), "linux.resources.rdma[\"mlx5_1\"]: needs hcaHandles or hcaObjects");
}

TEST_F(Validate, UnifiedKeysMustBeNamesOfCgroupFiles) {
  linux().resources->unified.set("memory.high", "1");
  EXPECT_EQ(broken(spec), "valid");
  for (const char* bad : {"", "../memory.max", "memory", ".max", "memory."}) {
    linux().resources->unified = {};
    linux().resources->unified.set(bad, "1");
    EXPECT_THAT(broken(spec), HasSubstr("linux.resources.unified[")) << bad;
  }
}

TEST(ValidateParts, ProcessAndResourcesHavePathsOfTheirOwn) {
  EXPECT_EQ(validate(Process{})->message(), "cwd: must be an absolute path");
  EXPECT_EQ(validate(Resources{.memory = Memory{.limit = -5}})->property, "memory.limit");
  const auto process = read_process("{\"cwd\":\"/\",\n\"args\":[]}");
  ASSERT_FALSE(process);
  EXPECT_EQ(process.error().message(), "process.json:2:8: args: must have at least one element");
  const auto resources = read_resources(R"({"cpu":{"idle":5}})", "<stdin>");
  ASSERT_FALSE(resources);
  EXPECT_EQ(resources.error().message(), "<stdin>:1:16: cpu.idle: must be 0 or 1");
}

TEST_F(Validate, AListOfMountsIsADocumentToo) {
  const auto mounts = read_mounts(R"([{"destination":"/a"},{"destination":"/b","type":"tmpfs"}])");
  ASSERT_TRUE(mounts) << mounts.error().message();
  ASSERT_EQ(mounts->size(), 2u);
  EXPECT_EQ((*mounts)[1].destination, "/b");
  EXPECT_EQ(read_mounts("[]")->size(), 0u);
  EXPECT_EQ(read_mounts("[\n{\"destination\":\"\"}]").error().message(),
            "mounts.json:2:16: [0].destination: must not be empty");
  EXPECT_FALSE(read_mounts("{}"));
  EXPECT_FALSE(read_mounts(R"([{"type":"tmpfs"}])"));
}

}  // namespace
}  // namespace oci
