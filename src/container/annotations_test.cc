#include "src/container/annotations.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "src/base/text.h"

namespace ocirt::container {
namespace {

Result<Annotations> read(const std::string& name, const std::string& value) {
  oci::Map<std::string> map;
  map.set(name, value);
  return read_annotations(map);
}

std::string error_of(const std::string& name, const std::string& value) {
  Result<Annotations> read_one = read(name, value);
  return read_one ? "" : read_one.error().text;
}

TEST(Annotations, OfOthersAreIgnored) {
  oci::Map<std::string> map;
  map.set("run.oci.unheard.of", "1");
  map.set("org.criu.config", "relative");
  map.set("handler", "krun");
  EXPECT_TRUE(read_annotations(map));
}

TEST(Annotations, AreRead) {
  EXPECT_EQ(read("run.oci.hooks.stdout", "/a")->hooks_stdout, "/a");
  EXPECT_EQ(read("run.oci.hooks.stderr", "/b")->hooks_stderr, "/b");
  EXPECT_EQ(read("run.oci.pidfd_receiver", "/c")->pidfd_receiver, "/c");
  EXPECT_EQ(read("run.oci.seccomp.receiver", "/d")->seccomp_receiver, "/d");
  EXPECT_EQ(read("run.oci.mount_context_type", "rootcontext")->mount_context_type, "rootcontext");
  EXPECT_EQ(read("run.oci.delegate-cgroup", "a/b")->delegate_cgroup, "a/b");
  EXPECT_EQ(read("run.oci.systemd.subgroup", "payload")->systemd_subgroup, "payload");
  EXPECT_EQ(read("run.oci.systemd.subgroup", "")->systemd_subgroup, "");
  EXPECT_EQ(read("run.oci.systemd.force_cgroup_v1", "/sys/fs/cgroup")->systemd_v1,
            "/sys/fs/cgroup");
  EXPECT_EQ(read("run.oci.seccomp_bpf_data", "AAECAwQFBgc=")->seccomp_program,
            std::vector<uint64_t>{0x0706050403020100});
}

TEST(Annotations, ThatAreSwitchesAreOnWhenTheyAreThere) {
  for (const char* on : {"", "1", "true"}) {
    EXPECT_TRUE(read("run.oci.keep_original_groups", on)->keep_original_groups) << on;
    EXPECT_TRUE(read("run.oci.seccomp_fail_unknown_syscall", on)->seccomp_fail_unknown_syscall);
  }
  for (const char* off : {"0", "false"}) {
    EXPECT_FALSE(read("run.oci.keep_original_groups", off)->keep_original_groups) << off;
  }
  EXPECT_NE(error_of("run.oci.keep_original_groups", "maybe"), "");
}

TEST(Annotations, ThatCannotBeFollowedSayWhich) {
  EXPECT_EQ(error_of("run.oci.handler", "krun"),
            "not supported: annotations: run.oci.handler: handler \"krun\", ocirt has none but its "
            "own");
  EXPECT_EQ(error_of("run.oci.hooks.stdout", "x"),
            "annotations: run.oci.hooks.stdout: \"x\": expected an absolute path");
  for (const char* bad : {"", "AAAA", "AAECAwQFBgc", "!"}) {
    EXPECT_NE(error_of("run.oci.seccomp_bpf_data", bad), "") << bad;
  }
  for (const char* bad : {"", "/a", "a/", "..", "a/../b", "a//b", "."}) {
    EXPECT_NE(error_of("run.oci.delegate-cgroup", bad), "") << bad;
  }
  for (const char* bad : {"/a", "a/", "..", "a//b"}) {
    EXPECT_NE(error_of("run.oci.systemd.subgroup", bad), "") << bad;
  }
  EXPECT_NE(error_of("run.oci.systemd.force_cgroup_v1", "sys"), "");
}

TEST(Annotations, AreListedInOrder) {
  const std::vector<std::string> names = known_annotations();
  EXPECT_TRUE(std::ranges::is_sorted(names));
  EXPECT_EQ(names.front(), "run.oci.delegate-cgroup");
}

}  // namespace
}  // namespace ocirt::container
