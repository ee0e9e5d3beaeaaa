// Annotations by which engines ask something of a runtime (run.oci.*). The specification leaves
// their meaning open; it is crun's.
#include <fcntl.h>
#include <grp.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <memory>

#include "tests/support/fixture.h"

namespace harness {
namespace {

class Annotations : public ContainerTest {
 protected:
  Bundle& annotate(const std::string& name, const std::string& value) {
    Json all = Json::parse("{}");
    if (const Json* given = bundle.document().find("annotations")) all = *given;
    Json edited = Json::parse("{\"" + name + "\":" + Json::string(value).print() + "}");
    std::string text = all.print();
    text.pop_back();
    text += (all.size() == 0 ? "" : ",") + edited.print().substr(1);
    return bundle.set("annotations", text);
  }

  std::string hook(const std::string& script) {
    return R"({"path": "/bin/sh", "args": ["sh", "-c", ")" + script + R"("]})";
  }
};

TEST_F(Annotations, UnknownOnesHaveNoEffect) {
  annotate("run.oci.nobody.knows", "1");
  EXPECT_EQ("fine\n", run_shell("echo fine"));
}

TEST_F(Annotations, AreListedAsUnsafeByFeatures) {
  const Json unsafe = features()["potentiallyUnsafeConfigAnnotations"];
  for (const char* name : {"run.oci.hooks.stdout", "run.oci.hooks.stderr", "run.oci.pidfd_receiver",
                           "run.oci.keep_original_groups", "run.oci.seccomp_bpf_data"})
    EXPECT_TRUE(contains(unsafe.strings(), name)) << name;
}

TEST_F(Annotations, GiveTheOutputOfHooksToFiles) {
  const std::string out = scratch() + "/hooks.out", err = scratch() + "/hooks.err";
  annotate("run.oci.hooks.stdout", out);
  annotate("run.oci.hooks.stderr", err);
  for (const char* kind : {"prestart", "createRuntime", "createContainer", "startContainer",
                           "poststart", "poststop"}) {
    const std::string name = kind;
    bundle.append("hooks." + name, hook("echo " + name + "; echo " + name + " warns >&2"));
  }
  write_file(out, "before\n");
  run_shell("true");
  EXPECT_EQ(
      "before\nprestart\ncreateRuntime\ncreateContainer\nstartContainer\npoststart\npoststop\n",
      read_file(out));
  EXPECT_EQ(
      "prestart warns\ncreateRuntime warns\ncreateContainer warns\nstartContainer warns\n"
      "poststart warns\npoststop warns\n",
      read_file(err));
}

TEST_F(Annotations, ThatNameAFifoWithoutAReaderForHooksAreAnErrorAtOnce) {
  const std::string out = scratch() + "/fifo";
  ASSERT_EQ(0, ::mkfifo(out.c_str(), 0600));
  annotate("run.oci.hooks.stdout", out);
  for (const std::string kind : {"createRuntime", "startContainer"}) {
    bundle.set("hooks", "{}").append("hooks." + kind, hook("echo said"));
    const Outcome refused = Container(runtime, bundle).run();
    EXPECT_FALSE(refused.ok());
    EXPECT_SAYS(refused.err, "run.oci.hooks.stdout: open " + out);
    EXPECT_SAYS(refused.err, "No such device or address");
    // Who reads it gets it.
    const int reader = ::open(out.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    EXPECT_OK(Container(runtime, bundle).run());
    char said[16] = {};
    EXPECT_EQ(5, ::read(reader, said, sizeof said)) << said;
    ::close(reader);
  }
}

TEST_F(Annotations, GiveTheOutputOfHooksToFilesWithCreateAndStart) {
  const std::string out = scratch() + "/hooks.out";
  annotate("run.oci.hooks.stdout", out);
  for (const char* kind : {"createContainer", "startContainer", "poststart", "poststop"}) {
    const std::string name = kind;
    bundle.append("hooks." + name, hook("echo " + name));
  }
  // Nothing of it is open in the program.
  bundle.shell("ls -l /proc/self/fd > /tmp/fds; exec sleep 100");
  Container container(runtime, bundle);
  container.launch();
  EXPECT_EQ("createContainer\nstartContainer\npoststart\n", read_file(out));
  EXPECT_EQ(std::string::npos, container.exec({"cat", "/tmp/fds"}).out.find("hooks.out"));
  EXPECT_OK(container.remove({"--force"}));
  EXPECT_EQ("createContainer\nstartContainer\npoststart\npoststop\n", read_file(out));
}

TEST_F(Annotations, SayWhichFileOfHooksCannotBeOpened) {
  annotate("run.oci.hooks.stderr", scratch() + "/missing/file");
  bundle.append("hooks.createRuntime", hook("true"));
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create(), 1, "run.oci.hooks.stderr");
  EXPECT_EQ("", container.status());
}

TEST_F(Annotations, KeepTheGroupsOfTheCaller) {
  bundle.set("process.user.additionalGids", "[7]");
  const std::string script = "grep ^Groups: /proc/self/status";
  EXPECT_EQ("Groups:\t7", trim(run_shell(script)).substr(0, 9));
  annotate("run.oci.keep_original_groups", "1");
  const gid_t ours[] = {4242, 4343};
  gid_t before[64];
  const int count = ::getgroups(64, before);
  ASSERT_EQ(0, ::setgroups(2, ours));
  const std::string kept = run_shell(script);
  bundle.shell("exec sleep 100");
  std::string of_exec;
  {
    Container container(runtime, bundle);
    container.launch();
    of_exec = container.exec_shell(script).out;
  }
  ASSERT_EQ(0, ::setgroups(static_cast<size_t>(count), before));
  EXPECT_EQ("4242 4343", field(kept, "Groups:"));
  EXPECT_EQ("4242 4343", field(of_exec, "Groups:"));
}

TEST_F(Annotations, TakeAFilterInPlaceOfTheProfile) {
  // "return errno 42" for mkdir(2), "allow" for the rest, on any architecture:
  //   ld [0]; jeq #83, 0, 1; ret 0x0005002a; ret 0x7fff0000
#if defined(__x86_64__)
  annotate("run.oci.seccomp_bpf_data", "IAAAAAAAAAAVAAABUwAAAAYAAAAqAAUABgAAAAAA/38=");
  // A profile beside it is not looked at, and need not be there.
  for (const char* profile : {R"({"defaultAction": "SCMP_ACT_KILL"})", "null"}) {
    bundle.set("linux.seccomp", profile);
    EXPECT_EQ("failed\n", run_shell("mkdir /tmp/new 2>/dev/null || echo failed")) << profile;
    bundle.shell("exec sleep 100");
    Container container(runtime, bundle);
    container.launch();
    EXPECT_EQ("failed\n", container.exec_shell("mkdir /tmp/new 2>/dev/null || echo failed").out)
        << profile;
  }
#endif
}

TEST_F(Annotations, MakeUnknownSystemCallsAnError) {
  bundle.set("linux.seccomp", R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [)"
                              R"({"names": ["no_such_call"], "action": "SCMP_ACT_ERRNO"}]})");
  EXPECT_EQ("fine\n", run_shell("echo fine"));
  annotate("run.oci.seccomp_fail_unknown_syscall", "1");
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create(), 1, "no_such_call");
}

TEST_F(Annotations, ThatCannotBeFollowedAreRefused) {
  const std::pair<const char*, const char*> refused[] = {
      {"run.oci.handler", "krun"},
      {"run.oci.systemd.force_cgroup_v1", "/sys/fs/cgroup/systemd"},
      {"run.oci.seccomp.plugins", "/usr/lib/plugin.so"},
      {"run.oci.mount_context_type", "nonsense"},
      {"run.oci.hooks.stdout", "relative"},
      {"run.oci.seccomp_bpf_data", "not base64"},
      {"run.oci.delegate-cgroup", "../other"},
  };
  for (const auto& [name, value] : refused) {
    annotate(name, value);
    Container container(runtime, bundle);
    EXPECT_FAILS(container.create(), 1, name);
    EXPECT_EQ("", container.status()) << name;
    bundle.remove("annotations");
  }
}

TEST_F(Annotations, ASubgroupIsAPartOfAUnitOfSystemd) {
  if (cgroups::by_systemd()) GTEST_SKIP() << "systemd makes the cgroups here";
  annotate("run.oci.systemd.subgroup", "payload");
  EXPECT_SAYS(refusal(), "--systemd-cgroup");
}

bool has_hierarchy_of_systemd() {
  return read_file("/proc/self/cgroup").find(":name=systemd:") != std::string::npos;
}

// A hierarchy ends when it is unmounted and has no groups. The kernel lets go of removed groups a
// moment later than rmdir(2): then it stays, and has to be mounted again to be unmounted without
// them.
bool unmount_until_it_ends(const std::string& top, const char* options) {
  for (int tries = 0; tries < 20; ++tries) {
    if (umount2(top.c_str(), MNT_DETACH) != 0) return false;
    if (eventually([] { return !has_hierarchy_of_systemd(); }, 100)) return true;
    if (mount("cgroup", top.c_str(), "cgroup", 0, options) != 0) return false;
  }
  return false;
}

// Where the host has v2 alone, the hierarchy is mounted beside it, as crun's manual page has it.
TEST_F(Annotations, GiveAnOldSystemdTheHierarchyThatItKnows) {
  const std::string top = scratch() + "/v1";
  const char* options = "none,name=systemd,xattr";
  make_directories(top);
  const bool beside_v2 = cgroups::is_pure_v2();
  const bool was_there = has_hierarchy_of_systemd();  // without a mount that we see
  if (beside_v2 && mount("cgroup", top.c_str(), "cgroup", 0, options) != 0) {
    GTEST_SKIP() << "cgroup v1 cannot be mounted here";
  }
  annotate("run.oci.systemd.force_cgroup_v1", "/sys/fs/cgroup");
  bundle.with_namespace("cgroup");
  bundle.mount("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev"});
  bundle.shell("exec sleep 100");
  std::string group;
  {
    Container container(runtime, bundle);
    container.launch();
    EXPECT_EQ("systemd\n", container.exec_shell("ls /sys/fs/cgroup").out);
    // Of its own cgroup it is the top, and may make others below.
    EXPECT_SAYS(container.exec_shell("cat /proc/1/cgroup").out, ":name=systemd:/\n");
    EXPECT_SAYS(container.exec_shell("cat /proc/self/cgroup").out, ":name=systemd:/\n");
    EXPECT_SAYS(container.exec_shell("cat /sys/fs/cgroup/systemd/cgroup.procs").out, "1\n");
    EXPECT_OK(container.exec_shell("mkdir /sys/fs/cgroup/systemd/inner"));
    group = cgroups::group_of(container.id());
    EXPECT_EQ(beside_v2, exists(top + group));
    EXPECT_OK(container.remove({"--force"}));
  }
  if (!beside_v2) return;
  EXPECT_FALSE(exists(top + group));
  // The parent of all groups of these tests; elsewhere it is found and removed when they have
  // ended.
  EXPECT_EQ(0, rmdir((top + cgroups::test_parent()).c_str()));
  if (was_there) {
    EXPECT_EQ(0, umount2(top.c_str(), MNT_DETACH));
  } else {
    EXPECT_TRUE(unmount_until_it_ends(top, options));
  }
}

TEST_F(Annotations, ThatNameWhatIsThereAnywayAreTaken) {
  annotate("run.oci.handler", "crun");
  annotate("run.oci.systemd.subgroup", "");
  annotate("run.oci.mount_context_type", "rootcontext");
  EXPECT_EQ("fine\n", run_shell("echo fine"));
}

}  // namespace
}  // namespace harness
