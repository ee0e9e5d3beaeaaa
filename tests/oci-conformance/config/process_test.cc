// config.md, "Process": what the program finds when it begins, as it sees it itself.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>

#include "tests/support/fixture.h"

namespace harness {
namespace {

class ProcessSettings : public ContainerTest {
 protected:
  // A line of /proc/self/status inside.
  std::string status_field(const char* key) {
    return field(run_shell("cat /proc/self/status"), key);
  }
};

TEST_F(ProcessSettings, CwdIsWhereTheProgramBegins) {
  SPEC("config.md#process", "cwd is the working directory that will be set for the executable.");
  bundle.set("process.cwd", R"("/tmp")");
  EXPECT_EQ("/tmp\n", run_shell("pwd"));
}

TEST_F(ProcessSettings, AMissingCwdIsMade) {
  bundle.set("process.cwd", R"("/srv/deep/below")");
  EXPECT_EQ("/srv/deep/below\n", run_shell("pwd"));
  EXPECT_TRUE(exists(bundle.rootfs("/srv/deep/below")));
}

TEST_F(ProcessSettings, AMissingCwdIsMadeInARootThatIsGoingToBeReadOnly) {
  bundle.set("process.cwd", R"("/srv/deep/below")").set("root.readonly", "true");
  EXPECT_EQ("/srv/deep/below\n", run_shell("pwd"));
}

TEST_F(ProcessSettings, ARelativeCwdIsRefused) {
  SPEC("config.md#process", "This value MUST be an absolute path.");
  bundle.set("process.cwd", R"("tmp")").shell("echo ran");
  Container container(runtime, bundle);
  const Outcome outcome = container.run();
  EXPECT_FAILS(outcome, 1, "wd");
  EXPECT_EQ("", outcome.out);
}

TEST_F(ProcessSettings, TheEnvironmentIsExactlyTheOneGiven) {
  SPEC("config.md#process", "env: array of strings with the same semantics as environ.");
  bundle.set("process.env", R"(["PATH=/bin", "A=1", "B=two words", "EMPTY=", "HOME=/there",
                                "EQ=a=b", "UTF=\u00e9\ud83d\ude00"])");
  bundle.args({"cat", "/proc/self/environ"});
  EXPECT_EQ((std::vector<std::string>{"PATH=/bin", "A=1", "B=two words", "EMPTY=", "HOME=/there",
                                      "EQ=a=b", "UTF=\xc3\xa9\xf0\x9f\x98\x80", ""}),
            split(run_bundle(), '\0'));
}

TEST_F(ProcessSettings, NothingOfTheCallersEnvironmentGetsIn) {
  bundle.args({"env"});
  Container container(runtime, bundle);
  const Outcome outcome = container.run({}, {.env = {{"OCIRT_TEST_SECRET", "secret"}}});
  ASSERT_OK(outcome);
  EXPECT_EQ(std::string::npos, outcome.out.find("secret")) << outcome.out;
}

TEST_F(ProcessSettings, OfTwoValuesForOneVariableTheLastCounts) {
  bundle.set("process.env", R"(["PATH=/bin", "A=first", "A=second"])");
  EXPECT_EQ("second\n", run_shell("echo $A"));
}

TEST_F(ProcessSettings, HomeComesFromThePasswdFile) {
  bundle.set("process.user", R"({"uid": 1000, "gid": 1000})");
  EXPECT_EQ("/home/tester\n", run_shell("echo $HOME"));
}

TEST_F(ProcessSettings, HomeOfAnUnknownUserIsTheRoot) {
  bundle.set("process.user", R"({"uid": 4321, "gid": 4321})");
  EXPECT_EQ("/\n", run_shell("echo $HOME"));
}

TEST_F(ProcessSettings, AnEmptyEnvironmentStillFindsAnAbsoluteProgram) {
  bundle.set("process.env", "[]").args({"/bin/sh", "-c", "echo ran"});
  EXPECT_EQ("ran\n", run_bundle());
}

TEST_F(ProcessSettings, ArgsReachTheProgramUnchanged) {
  bundle.args({"printf", "<%s>", "a b", "", "*", "$HOME", "\\", "\"", "'"});
  EXPECT_EQ("<a b><><*><$HOME><\\><\"><'>", run_bundle());
}

TEST_F(ProcessSettings, TheProgramIsLookedUpInThePathOfTheContainer) {
  SPEC("config.md#posix-process", "args: similar to POSIX execvp's argv.");
  bundle.file("/opt/tools/only-here", "#!/bin/sh\necho found $0\n", 0755);
  bundle.set("process.env", R"(["PATH=/nowhere:/opt/tools:/bin"])").args({"only-here"});
  EXPECT_EQ("found /opt/tools/only-here\n", run_bundle());
}

TEST_F(ProcessSettings, AProgramWithASlashIsTakenRelativeToCwd) {
  bundle.file("/opt/tools/here", "#!/bin/sh\necho found\n", 0755);
  bundle.set("process.cwd", R"("/opt")").args({"./tools/here"});
  EXPECT_EQ("found\n", run_bundle());
}

TEST_F(ProcessSettings, UserAndGroupsAreTheOnesGiven) {
  SPEC("config.md#posix-platform-user", "uid, gid, additionalGids");
  bundle.set("process.user", R"({"uid": 1000, "gid": 1001, "additionalGids": [5, 2000, 70000]})");
  const std::string status = run_shell("cat /proc/self/status");
  EXPECT_EQ("1000\t1000\t1000\t1000", field(status, "Uid:"));
  EXPECT_EQ("1001\t1001\t1001\t1001", field(status, "Gid:"));
  EXPECT_EQ("5 2000 70000", field(status, "Groups:"));
}

TEST_F(ProcessSettings, WithoutAdditionalGidsThereAreNone) {
  const std::string groups = status_field("Groups:");
  EXPECT_TRUE(groups.empty() || groups == "0") << groups;
}

TEST_F(ProcessSettings, UmaskIsSet) {
  SPEC("config.md#posix-platform-user", "umask specifies the umask of the user.");
  bundle.set("process.user.umask", "63");  // 077
  EXPECT_EQ("0077\n-rw-------\n", run_shell("umask; touch /tmp/f; stat -c %A /tmp/f"));
}

TEST_F(ProcessSettings, UmaskZeroIsNotTheSameAsNone) {
  bundle.set("process.user.umask", "0");
  EXPECT_EQ("0000\n", run_shell("umask"));
}

TEST_F(ProcessSettings, WithoutUmaskItIs0022) { EXPECT_EQ("0022\n", run_shell("umask")); }

TEST_F(ProcessSettings, AllFiveCapabilitySetsAreTheOnesGiven) {
  SPEC("config.md#linux-process",
       "capabilities: effective, bounding, inheritable, permitted, "
       "ambient");
  // Bits: CHOWN 0, KILL 5, SETGID 6, SETUID 7, NET_RAW 13.
  bundle.set("process.capabilities", R"({
    "bounding": ["CAP_CHOWN", "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_NET_RAW"],
    "permitted": ["CAP_CHOWN", "CAP_KILL", "CAP_SETUID"],
    "effective": ["CAP_CHOWN", "CAP_KILL"],
    "inheritable": ["CAP_CHOWN", "CAP_KILL"],
    "ambient": ["CAP_KILL"]})");
  // As another user, so that execve keeps what the sets say instead of giving root everything.
  bundle.set("process.user", R"({"uid": 1000, "gid": 1000})");
  const std::string status = run_shell("cat /proc/self/status");
  EXPECT_EQ("00000000000020e1", field(status, "CapBnd:"));
  EXPECT_EQ("0000000000000021", field(status, "CapInh:"));
  EXPECT_EQ("0000000000000020", field(status, "CapAmb:"));
  // After execve of an unprivileged file, permitted and effective are the ambient set.
  EXPECT_EQ("0000000000000020", field(status, "CapPrm:"));
  EXPECT_EQ("0000000000000020", field(status, "CapEff:"));
}

TEST_F(ProcessSettings, RootGetsTheBoundingSet) {
  bundle.set("process.capabilities", R"({"bounding": ["CAP_CHOWN", "CAP_KILL"],
    "permitted": ["CAP_CHOWN", "CAP_KILL"], "effective": ["CAP_CHOWN", "CAP_KILL"]})");
  const std::string status = run_shell("cat /proc/self/status");
  for (const char* key : {"CapBnd:", "CapPrm:", "CapEff:"})
    EXPECT_EQ("0000000000000021", field(status, key)) << key;
  EXPECT_EQ("0000000000000000", field(status, "CapInh:"));
  EXPECT_EQ("0000000000000000", field(status, "CapAmb:"));
}

TEST_F(ProcessSettings, WithoutCapabilitiesThereAreNone) {
  bundle.set("process.capabilities", R"({})");
  const std::string status = run_shell("cat /proc/self/status");
  for (const char* key : {"CapBnd:", "CapPrm:", "CapEff:", "CapInh:", "CapAmb:"})
    EXPECT_EQ("0000000000000000", field(status, key)) << key;
}

TEST_F(ProcessSettings, UnknownCapabilitiesOnlyWarn) {
  SPEC("config.md#linux-process",
       "Any value which cannot be mapped to a relevant kernel interface, or cannot be granted "
       "otherwise MUST be logged as a warning by the runtime.");
  bundle.append("process.capabilities.bounding", R"("CAP_TO_FLY")").shell("echo ran");
  // Callers take anything on stderr for an error, so a runtime may keep warnings for --debug.
  runtime.global = {"--debug"};
  Container container(runtime, bundle);
  const Outcome outcome = container.run();
  EXPECT_OK(outcome);
  EXPECT_EQ("ran\n", outcome.out);
  EXPECT_SAYS(outcome.err, "CAP_TO_FLY");
}

TEST_F(ProcessSettings, AmbientCapabilitiesThatAreNotInheritableDoNotFail) {
  SPEC("config.md#linux-process",
       "Runtimes SHOULD NOT fail if the container configuration requests capabilities that cannot "
       "be granted.");
  // The kernel refuses these, yet widely used generators of config.json write them.
  bundle.set("process.capabilities", R"({"bounding": ["CAP_KILL"], "permitted": ["CAP_KILL"],
    "effective": ["CAP_KILL"], "ambient": ["CAP_KILL"]})");
  const std::string status = run_shell("cat /proc/self/status");
  EXPECT_EQ("0000000000000020", field(status, "CapBnd:"));
  EXPECT_EQ("0000000000000000", field(status, "CapAmb:"));
}

TEST_F(ProcessSettings, CapabilitiesThatTheRuntimeItselfLacksDoNotFail) {
  const std::string ours = field(read_file("/proc/self/status"), "CapBnd:");
  constexpr unsigned long long kSysResource = 1ull << 24;
  if (std::stoull(ours, nullptr, 16) & kSysResource)
    GTEST_SKIP() << "this machine grants CAP_SYS_RESOURCE";
  bundle.set("process.capabilities", R"({"bounding": ["CAP_KILL", "CAP_SYS_RESOURCE"],
    "permitted": ["CAP_KILL", "CAP_SYS_RESOURCE"], "effective": ["CAP_KILL", "CAP_SYS_RESOURCE"]})");
  EXPECT_EQ("0000000000000020", field(run_shell("cat /proc/self/status"), "CapEff:"));
}

TEST_F(ProcessSettings, NoNewPrivilegesIsSetWhenAsked) {
  SPEC("config.md#linux-process",
       "noNewPrivileges: setting to true prevents the process from gaining additional privileges.");
  bundle.set("process.noNewPrivileges", "true");
  EXPECT_EQ("1", status_field("NoNewPrivs:"));
}

TEST_F(ProcessSettings, NoNewPrivilegesIsUnsetWhenNotAsked) {
  bundle.set("process.noNewPrivileges", "false");
  EXPECT_EQ("0", status_field("NoNewPrivs:"));
}

TEST_F(ProcessSettings, ResourceLimitsAreSet) {
  SPEC("config.md#posix-process", "rlimits allows setting resource limits for the process.");
  bundle.set("process.rlimits", R"([
    {"type": "RLIMIT_NOFILE", "soft": 333, "hard": 444},
    {"type": "RLIMIT_CORE", "soft": 0, "hard": 4096},
    {"type": "RLIMIT_FSIZE", "soft": 1048576, "hard": 2097152},
    {"type": "RLIMIT_NPROC", "soft": 500, "hard": 600}])");
  const std::string limits = run_shell("cat /proc/self/limits");
  auto limit = [&](const char* name) {
    const std::vector<std::string> all = words(field(limits, name));
    return all.size() < 2 ? std::string() : all[0] + " " + all[1];
  };
  EXPECT_EQ("333 444", limit("Max open files"));
  EXPECT_EQ("0 4096", limit("Max core file size"));
  EXPECT_EQ("1048576 2097152", limit("Max file size"));
  EXPECT_EQ("500 600", limit("Max processes"));
}

TEST_F(ProcessSettings, AnUnknownResourceLimitIsAnError) {
  SPEC("config.md#posix-process",
       "The runtime MUST generate an error for any values which cannot be mapped to a relevant "
       "kernel interface.");
  bundle.set("process.rlimits", R"([{"type": "RLIMIT_HAPPINESS", "soft": 1, "hard": 1}])");
  Container container(runtime, bundle);
  EXPECT_FAILS(container.run(), 1, "RLIMIT_HAPPINESS");
}

TEST_F(ProcessSettings, OomScoreAdjIsSet) {
  SPEC("config.md#linux-process", "oomScoreAdj adjusts the oom-killer score.");
  bundle.set("process.oomScoreAdj", "321");
  EXPECT_EQ("321\n", run_shell("cat /proc/self/oom_score_adj"));
}

TEST_F(ProcessSettings, WithoutOomScoreAdjTheCallersIsKept) {
  EXPECT_EQ(read_file("/proc/self/oom_score_adj"), run_shell("cat /proc/self/oom_score_adj"));
}

TEST_F(ProcessSettings, OnlyTheStandardDescriptorsAreOpen) {
  // 3 is the directory that ls reads.
  EXPECT_EQ("0\n1\n2\n3\n", run_shell("exec ls /proc/self/fd"));
}

TEST_F(ProcessSettings, DescriptorsOfTheCallerDoNotLeakIn) {
  bundle.args({"ls", "-l", "/proc/self/fd"});
  write_file(scratch() + "/secret", "secret");
  FILE* secret = std::fopen((scratch() + "/secret").c_str(), "r");
  Container container(runtime, bundle);
  const Outcome outcome = container.run({}, {.descriptors = {fileno(secret), fileno(secret)}});
  std::fclose(secret);
  ASSERT_OK(outcome);
  EXPECT_EQ(std::string::npos, outcome.out.find("secret")) << outcome.out;
}

TEST_F(ProcessSettings, PreservedDescriptorsReachTheProgram) {
  bundle.shell("cat <&3; cat <&4");
  write_file(scratch() + "/a", "first\n");
  write_file(scratch() + "/b", "second\n");
  FILE* a = std::fopen((scratch() + "/a").c_str(), "r");
  FILE* b = std::fopen((scratch() + "/b").c_str(), "r");
  Container container(runtime, bundle);
  const Outcome outcome =
      container.run({"--preserve-fds", "2"}, {.descriptors = {fileno(a), fileno(b)}});
  std::fclose(a);
  std::fclose(b);
  EXPECT_OK(outcome);
  EXPECT_EQ("first\nsecond\n", outcome.out);
}

TEST_F(ProcessSettings, SocketActivationPassesDescriptorsAndItsTwoVariables) {
  // LISTEN_PID must be the runtime's own pid, which only a shell that execs it can know.
  bundle.shell("echo $LISTEN_FDS $LISTEN_PID; cat <&3");
  write_file(scratch() + "/listening", "the socket\n");
  FILE* file = std::fopen((scratch() + "/listening").c_str(), "r");
  Container container(runtime, bundle);
  bundle.save(container.id());
  const Outcome outcome = run_command(
      {.argv = {"sh", "-c", "LISTEN_FDS=1 LISTEN_PID=$$ exec \"$@\"", "sh", runtime.program(),
                "--root", runtime.root(), "run", "--bundle", bundle.path(), container.id()},
       .descriptors = {fileno(file)}});
  std::fclose(file);
  EXPECT_OK(outcome);
  EXPECT_EQ("1 1\nthe socket\n", outcome.out);
}

TEST_F(ProcessSettings, InitHasNoZombieOrHelperBesideIt) {
  EXPECT_EQ("1\n", run_shell("exec sh -c 'set -- /proc/[0-9]*; echo $#'"));
}

TEST_F(ProcessSettings, InitIsASessionLeader) {
  const std::vector<std::string> stat = words(run_shell("exec cat /proc/self/stat"));
  ASSERT_GT(stat.size(), 6u);
  EXPECT_EQ("1", stat[4]) << "process group";
  EXPECT_EQ("1", stat[5]) << "session";
}

TEST_F(ProcessSettings, SignalsAreAtTheirDefaults) {
  const std::string status = run_shell("exec cat /proc/self/status");
  EXPECT_EQ("0000000000000000", field(status, "SigBlk:"));
  EXPECT_EQ("0000000000000000", field(status, "SigIgn:"));
}

TEST_F(ProcessSettings, TheUmaskHoldsThoughTheFilterRefusesToSetIt) {
  bundle.set("process.user", R"({"uid": 0, "gid": 0, "umask": 63})");
  bundle.set("process.noNewPrivileges", "false");
  bundle.set("linux.seccomp", R"({"defaultAction": "SCMP_ACT_ALLOW",
      "syscalls": [{"names": ["umask"], "action": "SCMP_ACT_ERRNO"}]})");
  EXPECT_EQ("0077", field(run_shell("exec cat /proc/self/status"), "Umask:"));
}

TEST_F(ProcessSettings, StandardStreamsBelongToTheUser) {
  bundle.set("process.user", R"({"uid": 1000, "gid": 1000})");
  bundle.shell("echo reopened > /dev/stdout");
  Container container(runtime, bundle);
  container.launch();
  EXPECT_TRUE(eventually([&] { return container.output() == "reopened\n"; }))
      << container.output() << container.errors();
}

// Faccessat(2), of which every filter knows, leaves capabilities out.
TEST_F(ProcessSettings, AProgramThatOnlyACapabilityLetsExecuteIsExecuted) {
  bundle.file("/bin/guarded", "#!/bin/sh\necho executed\n", 0700).args({"guarded"});
  bundle.set("process.user", R"({"uid": 1000, "gid": 1000})");
  for (const char* set : {"bounding", "permitted", "effective", "inheritable", "ambient"})
    bundle.set(std::string("process.capabilities.") + set, R"(["CAP_DAC_OVERRIDE"])");
  bundle.set("process.noNewPrivileges", "false");
  for (const char* filter : {"{\"defaultAction\": \"SCMP_ACT_ALLOW\"}", ""}) {
    if (*filter == '\0') {
      bundle.remove("linux.seccomp");
    } else {
      bundle.set("linux.seccomp", filter);
    }
    // With neither of the newer calls that look for themselves: Linux 5.8 to 6.13, and before.
    const MissingCall newer[] = {{SYS_execveat, 0, static_cast<unsigned>(AT_FDCWD), ENOSYS},
                                 {SYS_faccessat2, 2, X_OK, ENOSYS}};
    for (const MissingCall& missing : newer) {
      Container container(runtime, bundle);
      const Outcome outcome = container.run({}, {.missing = missing});
      EXPECT_OK(outcome);
      EXPECT_EQ("executed\n", outcome.out);
    }
  }
}

// FUSE and a root_squash of NFS answer root like this.
TEST_F(ProcessSettings, ACwdThatOnlyTheUserMayEnterIsEntered) {
  bundle.directory("/home", 0700).file("/home/file", "found\n");
  ASSERT_EQ(0, chown(bundle.rootfs("/home").c_str(), 1000, 1000));
  bundle.set("process.user", R"({"uid": 1000, "gid": 1000})").set("process.cwd", "\"/home\"");
  write_file(scratch() + "/weak",
             "#!/bin/sh\nexec setpriv --bounding-set=-dac_override,-dac_read_search "
             "--inh-caps=-dac_override,-dac_read_search " +
                 runtime.program() + " \"$@\"\n",
             0755);
  Runtime weak(runtime.root(), scratch() + "/weak");
  bundle.shell("cat file; exec sleep 100");
  Container container(weak, bundle);
  container.launch();
  EXPECT_TRUE(eventually([&] { return container.output() == "found\n"; }))
      << container.output() << container.errors();
  const Outcome more = container.exec_shell("pwd; cat file");
  EXPECT_OK(more);
  EXPECT_EQ("/home\nfound\n", more.out);

  bundle.set("process.user", R"({"uid": 1001, "gid": 1000})");
  Container other(weak, bundle);
  EXPECT_FAILS(other.run(), 1, "process.cwd: chdir to /home");
}

TEST_F(ProcessSettings, TheLastProcessThatALimitAllowsIsExecuted) {
  constexpr const char* kLimit = R"([{"type": "RLIMIT_NPROC", "soft": 2, "hard": 3}])";
  bundle.set("process.rlimits", kLimit);
  bundle.set("process.user", R"({"uid": 543219, "gid": 543219})").args({"sleep", "100"});
  Container container(runtime, bundle);
  container.launch();
  const Outcome second = container.exec({"cat", "/proc/self/limits"});
  EXPECT_OK(second);
  const std::string limits = second.out.substr(0, second.out.find("Max open files"));
  EXPECT_SAYS(limits.substr(limits.find("Max processes")),
              "Max processes             2                    3  ");
  EXPECT_FALSE(container.exec_shell("cat & wait").ok());
}

}  // namespace
}  // namespace harness
