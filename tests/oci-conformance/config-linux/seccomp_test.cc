// config-linux.md, "Seccomp": what a call returns to the program under each action.
#include <csignal>

#include "tests/support/fixture.h"

namespace harness {
namespace {

// What a shell and the runtime's own last steps need.
const std::string kShell =
    R"("read", "write", "open", "openat", "close", "stat", "fstat", "lstat", "newfstatat", "statx",
    "brk", "mmap", "munmap", "mprotect", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "execve",
    "exit", "exit_group", "arch_prctl", "set_tid_address", "set_robust_list", "rseq", "prlimit64",
    "getrandom", "getpid", "getppid", "getuid", "geteuid", "getgid", "getegid", "fcntl", "dup2",
    "ioctl", "uname", "readlink", "getcwd", "wait4", "poll", "futex", "access", "faccessat",
    "writev", "readv", "fork", "vfork", "clone", "prctl", "capset", "capget", "setuid", "setgid",
    "setgroups", "chdir", "getdents64", "statfs", "fstatfs", "close_range", "sendmsg", "recvmsg",
    "fchdir", "umask", "epoll_ctl", "epoll_pwait", "nanosleep", "sched_yield", "tgkill", "gettid",
    "sigaltstack", "lseek", "pread64", "sendto", "recvfrom", "execveat", "dup", "dup3", "pipe2",
    "madvise", "clock_gettime", "clock_nanosleep", "fchown", "readlinkat", "keyctl")";

class Seccomp : public ContainerTest {
 protected:
  // Everything is allowed but these calls.
  void deny(const std::string& names, const std::string& action, const std::string& more = "") {
    bundle.set("linux.seccomp", R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": [)" +
                                    names + R"(], "action": ")" + action + "\"" + more + "}]}");
  }
};

TEST_F(Seccomp, IsOffUnlessAsked) {
  EXPECT_EQ("0", field(run_shell("cat /proc/self/status"), "Seccomp:"));
}

TEST_F(Seccomp, FiltersWhenAsked) {
  SPEC("config-linux.md#seccomp", "Seccomp provides application sandboxing mechanism.");
  deny("\"mkdir\", \"mkdirat\"", "SCMP_ACT_ERRNO");
  const std::string seen = run_shell("cat /proc/self/status; mkdir /tmp/x 2>&1; echo rest works");
  EXPECT_EQ("2", field(seen, "Seccomp:"));
  EXPECT_SAYS(seen, "Operation not permitted");
  EXPECT_SAYS(seen, "rest works");
  EXPECT_FALSE(exists(bundle.rootfs("/tmp/x")));
}

TEST_F(Seccomp, ReturnsTheErrnoGiven) {
  SPEC("config-linux.md#seccomp", "errnoRet: the errno return code to use.");
  deny("\"mkdir\", \"mkdirat\"", "SCMP_ACT_ERRNO", R"(, "errnoRet": 28)");
  EXPECT_SAYS(run_shell("mkdir /tmp/x 2>&1; true"), "No space left on device");
}

TEST_F(Seccomp, KillsWhenTheActionSaysSo) {
  deny("\"mkdir\", \"mkdirat\"", "SCMP_ACT_KILL_PROCESS");
  EXPECT_EQ("159\n", run_shell("mkdir /tmp/x; echo $?"));  // 128 + SIGSYS
}

TEST_F(Seccomp, ComparesArguments) {
  SPEC("config-linux.md#seccomp", "args: the specific syscall arguments in seccomp.");
  // kill(pid, SIGUSR1) is denied, every other kill is allowed.
  deny("\"kill\"", "SCMP_ACT_ERRNO",
       R"(, "args": [{"index": 1, "value": 10, "op": "SCMP_CMP_EQ"}])");
  EXPECT_EQ("denied\nallowed\n", run_shell("sleep 10 & kill -USR1 $! 2>/dev/null || echo denied;"
                                           "kill -TERM $! && echo allowed"));
}

TEST_F(Seccomp, AppliesTheDefaultAction) {
  SPEC("config-linux.md#seccomp", "defaultAction: the default action for seccomp.");
  bundle.set(
      "linux.seccomp",
      R"({"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1, "syscalls": [{"names": [)" +
          kShell + R"(], "action": "SCMP_ACT_ALLOW"}]})");
  EXPECT_SAYS(run_shell("echo hello; mkdir /tmp/x 2>&1; true"), "Operation not permitted");
}

TEST_F(Seccomp, IgnoresCallsThatItDoesNotKnow) {
  deny("\"call_of_the_future\", \"mkdir\", \"mkdirat\"", "SCMP_ACT_ERRNO");
  EXPECT_SAYS(run_shell("mkdir /tmp/x 2>&1; true"), "Operation not permitted");
}

TEST_F(Seccomp, HoldsForExecToo) {
  deny("\"mkdir\", \"mkdirat\"", "SCMP_ACT_ERRNO");
  bundle.shell("exec sleep 100");
  Container container(runtime, bundle);
  container.launch();
  EXPECT_SAYS(container.exec({"mkdir", "/tmp/x"}).err, "Operation not permitted");
}

TEST_F(Seccomp, WorksWithoutNoNewPrivileges) {
  // The filter must then be loaded while the capabilities are still there.
  bundle.set("process.noNewPrivileges", "false");
  bundle.set("process.user", R"({"uid": 1000, "gid": 1000})");
  deny("\"mkdir\", \"mkdirat\"", "SCMP_ACT_ERRNO");
  const std::string seen = run_shell("cat /proc/self/status; mkdir /tmp/x 2>&1; true");
  EXPECT_EQ("2", field(seen, "Seccomp:"));
  EXPECT_EQ("0", field(seen, "NoNewPrivs:"));
  EXPECT_SAYS(seen, "Operation not permitted");
}

TEST_F(Seccomp, AnUnknownActionIsAnErrorThatNamesIt) {
  deny("\"mkdir\"", "SCMP_ACT_SHRUG");
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create(), 1, "SCMP_ACT_SHRUG");
  EXPECT_TRUE(names_in(runtime.root()).empty());
}

TEST_F(Seccomp, ReturnsTheDefaultErrnoGiven) {
  SPEC("config-linux.md#seccomp", "defaultErrnoRet: the errno return code to use.");
  deny("\"mkdir\", \"mkdirat\"", "SCMP_ACT_ERRNO");
  bundle.set("linux.seccomp.defaultErrnoRet", "28");
  bundle.set("linux.seccomp.defaultAction", R"("SCMP_ACT_ERRNO")");
  bundle.set("linux.seccomp.syscalls",
             R"([{"action": "SCMP_ACT_ALLOW", "names": [)" + kShell + "]}]");
  EXPECT_SAYS(run_shell("mkdir /tmp/x 2>&1; true"), "No space left on device");
}

TEST_F(Seccomp, AnErrnoForAnActionThatHasNoneIsRefused) {
  SPEC("config-linux.md#seccomp",
       "When the action doesn't support an errno, the runtime MUST print and error and fail.");
  for (const char* action : {"SCMP_ACT_ALLOW", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS",
                             "SCMP_ACT_LOG", "SCMP_ACT_TRAP"}) {
    deny("\"mkdir\"", action, R"(, "errnoRet": 28)");
    Container container(runtime, bundle);
    EXPECT_FAILS(container.create(), 1, "errnoRet");
  }
  deny("\"mkdir\"", "SCMP_ACT_ERRNO");
  bundle.set("linux.seccomp.defaultErrnoRet", "28");  // for SCMP_ACT_ALLOW
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create(), 1, "defaultErrnoRet");
  EXPECT_TRUE(names_in(runtime.root()).empty());
}

TEST_F(Seccomp, EachActionDoesWhatItsNameSays) {
  SPEC("config-linux.md#seccomp", "action: the action for seccomp rules.");
  const struct {
    const char* action;
    const char* seen;
  } kCases[] = {
      {"SCMP_ACT_ALLOW", "0\n"},         {"SCMP_ACT_LOG", "0\n"},
      {"SCMP_ACT_TRACE", "1\n"},  // nobody traces: ENOSYS
      {"SCMP_ACT_TRAP", "159\n"},        {"SCMP_ACT_KILL", "159\n"},
      {"SCMP_ACT_KILL_THREAD", "159\n"},
  };
  for (const auto& row : kCases) {
    deny("\"mkdir\", \"mkdirat\"", row.action);
    EXPECT_EQ(row.seen, run_shell("d=/tmp/$$; mkdir $d 2>/dev/null; echo $?; rm -rf $d"))
        << row.action;
  }
}

TEST_F(Seccomp, ComparesArgumentsInEveryWay) {
  SPEC("config-linux.md#seccomp", "op: the operator for syscall arguments in seccomp.");
  // Which of the signals 10, 12 and 15 cannot be sent.
  const struct {
    const char* condition;
    const char* denied;
  } kCases[] = {
      {R"("value": 12, "op": "SCMP_CMP_EQ")", "12\n"},
      {R"("value": 12, "op": "SCMP_CMP_NE")", "10\n15\n"},
      {R"("value": 12, "op": "SCMP_CMP_LT")", "10\n"},
      {R"("value": 12, "op": "SCMP_CMP_LE")", "10\n12\n"},
      {R"("value": 12, "op": "SCMP_CMP_GT")", "15\n"},
      {R"("value": 12, "op": "SCMP_CMP_GE")", "12\n15\n"},
      {R"("value": 6, "valueTwo": 2, "op": "SCMP_CMP_MASKED_EQ")", "10\n"},
  };
  for (const auto& row : kCases) {
    // Process 1 of a pid namespace gets none of its own: only what the call returns counts.
    deny("\"kill\"", "SCMP_ACT_ERRNO",
         std::string(R"(, "args": [{"index": 1, )") + row.condition + "}]");
    EXPECT_EQ(row.denied,
              run_shell("trap '' USR1 USR2 TERM; for s in 10 12 15; do kill -$s $$ 2>/dev/null "
                        "|| echo $s; done"))
        << row.condition;
  }
}

TEST_F(Seccomp, TakesTheFlagsThatFeaturesLists) {
  SPEC("config-linux.md#seccomp", "flags: list of flags to use with seccomp(2).");
  const Json all = features();
  const Json* flags = all.find("linux.seccomp.supportedFlags");
  if (flags == nullptr) GTEST_SKIP() << "the runtime lists no flags in `features`";
  for (const std::string& flag : flags->strings()) {
    if (flag == "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV") continue;  // with a listener only
    deny("\"mkdir\", \"mkdirat\"", "SCMP_ACT_ERRNO");
    bundle.set("linux.seccomp.flags", "[\"" + flag + "\"]");
    EXPECT_SAYS(run_shell("mkdir /tmp/x 2>&1; true"), "Operation not permitted") << flag;
  }
}

TEST_F(Seccomp, AnUnknownFlagIsAnErrorThatNamesIt) {
  deny("\"mkdir\"", "SCMP_ACT_ERRNO");
  bundle.set("linux.seccomp.flags", R"(["SECCOMP_FILTER_FLAG_SHRUG"])");
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create(), 1, "SECCOMP_FILTER_FLAG_SHRUG");
}

}  // namespace
}  // namespace harness
