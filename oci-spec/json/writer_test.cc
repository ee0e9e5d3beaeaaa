#include "oci-spec/json/writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "oci-spec/documents.h"

namespace oci {
namespace {

// A configuration that uses every kind of property.
Spec rich_spec() {
  Spec spec = default_spec(false);
  spec.annotations.set("org.example", "x\"\n\\\xE2\x82\xAC");
  Process& process = *spec.process;
  process.console_size = ConsoleSize{.height = 24, .width = 80};
  process.user = {.uid = 4294967294u, .gid = 7, .umask = 0, .additional_gids = {1, 2}};
  process.rlimits[0].hard = 18446744073709551615u;
  process.oom_score_adj = -1000;
  process.scheduler = Scheduler{.policy = SchedulerPolicy::kFifo,
                                .nice = -20,
                                .priority = 5,
                                .flags = {SchedulerFlag::kResetOnFork}};
  process.io_priority = IoPriority{.class_ = IoPriorityClass::kIdle, .priority = 7};
  process.exec_cpu_affinity = ExecCpuAffinity{.initial = "0-3", .final = "1"};
  spec.hooks.emplace();
  spec.hooks->poststop = {{.path = "/bin/x", .args = {"x"}, .timeout = 3}};
  Linux& linux = *spec.linux;
  linux.rootfs_propagation = RootfsPropagation::kRslave;
  linux.net_devices.set("eth0", {});
  linux.net_devices.set("eth1", {.name = "net1"});
  linux.sysctl.set("net.ipv4.ip_forward", "1");
  linux.resources->memory = Memory{.limit = -1, .swappiness = 60, .disable_oom_killer = false};
  linux.resources->unified.set("memory.high", "1G");
  linux.resources->rdma.set("mlx5_1", {.hca_handles = 3});
  linux.resources->block_io =
      BlockIo{.weight = 10, .weight_device = {{.major = 8, .minor = 0, .weight = 0}}};
  linux.seccomp = Seccomp{.default_action = SeccompAction::kErrno,
                          .default_errno_ret = 38,
                          .architectures = {SeccompArch::kX86_64, SeccompArch::kAarch64},
                          .flags = {SeccompFlag::kLog},
                          .syscalls = {{.names = {"clone"},
                                        .action = SeccompAction::kAllow,
                                        .args = {{.index = 0,
                                                  .value = 18446744073709551615u,
                                                  .value_two = 0,
                                                  .op = SeccompOperator::kMaskedEq}}}}};
  linux.memory_policy = MemoryPolicy{.mode = MemoryPolicyMode::kBind, .nodes = "0"};
  linux.personality = Personality{.domain = PersonalityDomain::kLinux32};
  return spec;
}

TEST(Writer, WritesWhatTheReaderReadsBack) {
  const Spec spec = rich_spec();
  for (const bool pretty : {false, true}) {
    const std::string text = write(spec, pretty);
    const auto again = read_config(text);
    ASSERT_TRUE(again) << again.error().message() << "\n" << text;
    EXPECT_EQ(*again, spec);
    EXPECT_EQ(write(*again, pretty), text);
  }
}

TEST(Writer, WritesOneLineOrAnIndentedTextWithAFinalNewline) {
  Spec spec;
  spec.oci_version = "1.3.0";
  spec.root = Root{.path = "rootfs", .readonly = false};
  EXPECT_EQ(write(spec, false),
            R"({"ociVersion":"1.3.0","root":{"path":"rootfs","readonly":false}})");
  EXPECT_EQ(write(spec, true),
            "{\n  \"ociVersion\": \"1.3.0\",\n  \"root\": {\n    \"path\": \"rootfs\",\n"
            "    \"readonly\": false\n  }\n}\n");
}

TEST(Writer, LeavesOutWhatIsAbsentOrEmptyUnlessEmptySaysSomething) {
  Spec spec;
  spec.oci_version = "1.3.0";
  spec.hostname = "";
  spec.linux.emplace().resources.emplace();
  EXPECT_EQ(write(spec, false), R"({"ociVersion":"1.3.0","linux":{"resources":{}}})");
  Features features;
  features.oci_version_min = "1.0.0";
  features.oci_version_max = "1.3.0";
  features.hooks.emplace();
  EXPECT_EQ(write(features, false),
            R"({"ociVersionMin":"1.0.0","ociVersionMax":"1.3.0","hooks":[]})");
  const auto again = read_features(write(features, false));
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, features);
  EXPECT_TRUE(again->hooks);
  EXPECT_FALSE(again->mount_options);
}

TEST(Writer, WritesAStateWithFurtherProperties) {
  State state{
      .oci_version = "1.3.0", .id = "c1", .status = Status::kPaused, .pid = 0, .bundle = "/b"};
  state.annotations.set("k", "v");
  Map<std::string> more;
  more.set("rootfs", "/b/rootfs");
  EXPECT_EQ(write(state, false, more),
            R"({"ociVersion":"1.3.0","id":"c1","pid":0,"status":"paused","bundle":"/b",)"
            R"("annotations":{"k":"v"},"rootfs":"/b/rootfs"})");
  const auto again = read_state(write(state, true, more));
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(*again, state);
}

TEST(Writer, WritesTheContainerProcessState) {
  const ContainerProcessState state{
      .oci_version = "1.3.0",
      .fds = {"seccompFd"},
      .pid = 42,
      .metadata = "m",
      .state = {.oci_version = "1.3.0", .id = "c", .status = Status::kCreating, .bundle = "/b"}};
  const std::string text = write(state, false);
  EXPECT_EQ(text, R"({"ociVersion":"1.3.0","fds":["seccompFd"],"pid":42,"metadata":"m","state":)"
                  R"({"ociVersion":"1.3.0","id":"c","status":"creating","bundle":"/b"}})");
  const auto again = read_container_process_state(text);
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(*again, state);
}

TEST(Writer, ReplacesBytesThatAreNotUtf8) {
  State state{.oci_version = "1.3.0", .id = "c", .bundle = "/a\xFF\xC3"};
  EXPECT_THAT(write(state, false), testing::HasSubstr("/a\xEF\xBF\xBD\xEF\xBF\xBD\""));
  EXPECT_TRUE(read_state(write(state, false)));
}

TEST(Writer, EscapesWhatJsonDemands) {
  State state{.oci_version = "1.3.0", .id = "\"\\\x01\n\x7F/", .bundle = "/"};
  EXPECT_THAT(write(state, false), testing::HasSubstr(R"("id":"\"\\\u0001\n)"
                                                      "\x7F/\""));
  const auto again = read_state(write(state, false));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->id, state.id);
}

TEST(Writer, WritesProcessesAndResourcesAsDocumentsOfTheirOwn) {
  const Spec spec = rich_spec();
  const auto process = read_process(write(*spec.process, true));
  ASSERT_TRUE(process) << process.error().message();
  EXPECT_EQ(*process, *spec.process);
  const auto resources = read_resources(write(*spec.linux->resources, true));
  ASSERT_TRUE(resources) << resources.error().message();
  EXPECT_EQ(*resources, *spec.linux->resources);
}

TEST(Enumerations, NamesAndValuesAreInverse) {
  for (const std::string_view name : names_of(SeccompArch{})) {
    const auto value = parse<SeccompArch>(name);
    ASSERT_TRUE(value) << name;
    EXPECT_EQ(to_string(*value), name);
  }
  EXPECT_EQ(to_string(NamespaceType::kNetwork), "network");
  EXPECT_EQ(to_string(IoPriorityClass::kRealtime), "IOPRIO_CLASS_RT");
  EXPECT_EQ(to_string(SchedulerFlag::kDeadlineOverrun), "SCHED_FLAG_DL_OVERRUN");
  EXPECT_EQ(to_string(SeccompFlag::kSpecAllow), "SECCOMP_FILTER_FLAG_SPEC_ALLOW");
  EXPECT_EQ(to_string(MemoryPolicyMode::kPreferredMany), "MPOL_PREFERRED_MANY");
  EXPECT_EQ(to_string(SeccompArch::kX86_64), "SCMP_ARCH_X86_64");
  EXPECT_EQ(to_string(SeccompArch::kMipsel64n32), "SCMP_ARCH_MIPSEL64N32");
  EXPECT_FALSE(parse<NamespaceType>("net"));
  EXPECT_FALSE(parse<NamespaceType>(""));
}

}  // namespace
}  // namespace oci
