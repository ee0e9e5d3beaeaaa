// The effect of filters: loaded in a child process and tried out, and, for architectures that this
// machine cannot run, interpreted.
#include "src/linux/seccomp.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "src/linux/seccomp_interpreter.h"

namespace ocirt {
namespace {

using oci::SeccompAction;
using oci::SeccompArch;
using oci::SeccompFlag;
using oci::SeccompOperator;

std::string refusal(const oci::Seccomp& p) {
  auto filter = compile_seccomp(p);
  return filter ? "accepted" : filter.error().text;
}

long load(const SeccompFilter& filter) {
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  sock_fprog program{
      static_cast<unsigned short>(filter.program.size()),
      reinterpret_cast<sock_filter*>(const_cast<BpfInstruction*>(filter.program.data()))};
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, filter.flags, &program);
}

// Loads the filter in a child and returns its wait status; `body` returns the exit code.
int in_child(const SeccompFilter& filter, const std::function<int()>& body) {
  pid_t child = fork();
  if (child == 0) {
    rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
    if (load(filter) < 0) syscall(SYS_exit_group, 200);
    syscall(SYS_exit_group, body());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

// The errno of a system call in a child under the filter; 0 if it succeeded.
int errno_of(const SeccompFilter& filter, long number, long a = 0, long b = 0, long c = 0) {
  int status = in_child(filter, [=] { return syscall(number, a, b, c) == -1 ? errno : 0; });
  EXPECT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  return WEXITSTATUS(status);
}

uint32_t verdict(const SeccompFilter& filter, uint32_t arch, uint32_t number,
                 std::vector<uint64_t> args = {}) {
  seccomp_data data{};
  data.arch = arch;
  data.nr = static_cast<int>(number);
  for (size_t i = 0; i < args.size(); ++i) data.args[i] = args[i];
  return interpret(filter.program, data);
}

constexpr uint32_t kEperm = SECCOMP_RET_ERRNO | EPERM;
constexpr uint32_t kEnosys = SECCOMP_RET_ERRNO | ENOSYS;

TEST(Seccomp, ARuleAnswersItsErrnoAndEverythingElseIsAllowed) {
  auto p = profile(SeccompAction::kAllow, {rule({"mkdir", "mkdirat"}, SeccompAction::kErrno)});
  EXPECT_EQ(errno_of(compiled(p), SYS_mkdir, 0), EPERM);
  EXPECT_EQ(errno_of(compiled(p), SYS_mkdirat, -1, 0), EPERM);
  EXPECT_EQ(errno_of(compiled(p), SYS_getppid), 0);
  p.syscalls[0].errno_ret = ENETDOWN;
  EXPECT_EQ(errno_of(compiled(p), SYS_mkdir, 0), ENETDOWN);
}

TEST(Seccomp, TheDefaultAnswersWhatIsNotListed) {
  auto p = profile(SeccompAction::kErrno,
                   {rule({"exit_group", "landlock_restrict_self"}, SeccompAction::kAllow)});
  EXPECT_EQ(errno_of(compiled(p), SYS_getppid), EPERM);
  p.default_errno_ret = ENXIO;
  EXPECT_EQ(errno_of(compiled(p), SYS_getppid), ENXIO);
}

TEST(Seccomp, KillProcessAndKillEndTheProcessWithSigsys) {
  for (auto action :
       {SeccompAction::kKill, SeccompAction::kKillProcess, SeccompAction::kKillThread}) {
    auto filter = compiled(profile(SeccompAction::kAllow, {rule({"getppid"}, action)}));
    int status = in_child(filter, [] { return static_cast<int>(syscall(SYS_getppid)); });
    ASSERT_TRUE(WIFSIGNALED(status));
    EXPECT_EQ(WTERMSIG(status), SIGSYS);
  }
  auto thread = compiled(profile(SeccompAction::kKillThread));
  auto process = compiled(profile(SeccompAction::kKillProcess));
  EXPECT_EQ(verdict(thread, AUDIT_ARCH_X86_64, 0), SECCOMP_RET_KILL_THREAD);
  EXPECT_EQ(verdict(process, AUDIT_ARCH_X86_64, 0), SECCOMP_RET_KILL_PROCESS);
}

TEST(Seccomp, TrapRaisesASignalThatCanBeCaught) {
  auto filter = compiled(profile(SeccompAction::kAllow, {rule({"getppid"}, SeccompAction::kTrap)}));
  int status = in_child(filter, [] {
    signal(SIGSYS, [](int) { syscall(SYS_exit_group, 77); });
    syscall(SYS_getppid);
    return 1;
  });
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 77);
}

TEST(Seccomp, TraceWithoutATracerIsEnosys) {
  auto p = profile(SeccompAction::kAllow, {rule({"getppid"}, SeccompAction::kTrace)});
  EXPECT_EQ(errno_of(compiled(p), SYS_getppid), ENOSYS);
  p.syscalls[0].errno_ret = 5;
  EXPECT_EQ(verdict(compiled(p), AUDIT_ARCH_X86_64, SYS_getppid), SECCOMP_RET_TRACE | 5u);
}

TEST(Seccomp, LogAllows) {
  auto filter = compiled(profile(SeccompAction::kAllow, {rule({"getppid"}, SeccompAction::kLog)}));
  EXPECT_EQ(verdict(filter, AUDIT_ARCH_X86_64, SYS_getppid), SECCOMP_RET_LOG);
  EXPECT_EQ(errno_of(filter, SYS_getppid), 0);
}

TEST(Seccomp, NotifyIsReportedAndLoadingReturnsAListener) {
  auto p = profile(SeccompAction::kAllow, {rule({"getppid"}, SeccompAction::kNotify)});
  p.flags = {SeccompFlag::kWaitKillableRecv};
  auto filter = compiled(p);
  EXPECT_TRUE(filter.notify);
  EXPECT_EQ(filter.flags, SECCOMP_FILTER_FLAG_NEW_LISTENER | (1u << 5));
  pid_t child = fork();
  if (child == 0) _exit(load(filter) > 2 ? 0 : 1);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_FALSE(compiled(profile(SeccompAction::kAllow)).notify);
}

TEST(Seccomp, FlagsOfTheProfileBecomeFlagsOfTheSystemCall) {
  auto p = profile(SeccompAction::kAllow);
  EXPECT_EQ(compiled(p).flags, SECCOMP_FILTER_FLAG_SPEC_ALLOW);
  p.flags = {SeccompFlag::kTsync};
  EXPECT_EQ(compiled(p).flags, 0u);
  p.flags = {SeccompFlag::kLog};
  EXPECT_EQ(compiled(p).flags, SECCOMP_FILTER_FLAG_LOG);
  p.flags = {SeccompFlag::kLog, SeccompFlag::kSpecAllow, SeccompFlag::kTsync};
  EXPECT_EQ(compiled(p).flags, SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW);
  EXPECT_EQ(errno_of(compiled(p), SYS_getppid), 0);
  p.flags = {SeccompFlag::kWaitKillableRecv};
  EXPECT_EQ(compiled(p).flags, 0u);
  EXPECT_EQ(compiled(p).warnings.size(), 1u);
}

TEST(Seccomp, EveryOperatorComparesSixtyFourBits) {
  constexpr uint64_t kValue = 0x100000005;
  struct Case {
    SeccompOperator op;
    bool below, equal, above, upper_below, upper_above;
  };
  for (const Case& c : {Case{SeccompOperator::kEq, false, true, false, false, false},
                        Case{SeccompOperator::kNe, true, false, true, true, true},
                        Case{SeccompOperator::kLt, true, false, false, true, false},
                        Case{SeccompOperator::kLe, true, true, false, true, false},
                        Case{SeccompOperator::kGt, false, false, true, false, true},
                        Case{SeccompOperator::kGe, false, true, true, false, true}}) {
    auto filter =
        compiled(profile(SeccompAction::kAllow,
                         {rule({"getppid"}, SeccompAction::kErrno, {{1, kValue, {}, c.op}})}));
    auto hit = [&](uint64_t arg) {
      EXPECT_EQ(errno_of(filter, SYS_getppid, 0, static_cast<long>(arg)) == EPERM,
                verdict(filter, AUDIT_ARCH_X86_64, SYS_getppid, {0, arg}) == kEperm);
      return errno_of(filter, SYS_getppid, 0, static_cast<long>(arg)) == EPERM;
    };
    EXPECT_EQ(hit(kValue - 1), c.below) << oci::to_string(c.op);
    EXPECT_EQ(hit(kValue), c.equal) << oci::to_string(c.op);
    EXPECT_EQ(hit(kValue + 1), c.above) << oci::to_string(c.op);
    EXPECT_EQ(hit(0x7), c.upper_below) << oci::to_string(c.op);
    EXPECT_EQ(hit(0x200000001), c.upper_above) << oci::to_string(c.op);
  }
}

TEST(Seccomp, MaskedEqualComparesTheMaskedBits) {
  auto filter =
      compiled(profile(SeccompAction::kAllow,
                       {rule({"getppid"}, SeccompAction::kErrno,
                             {{0, 0xf0000000f0, 0x1000000010, SeccompOperator::kMaskedEq}})}));
  EXPECT_EQ(errno_of(filter, SYS_getppid, 0x1f0000001f), EPERM);
  EXPECT_EQ(errno_of(filter, SYS_getppid, 0x1f0000002f), 0);
  EXPECT_EQ(errno_of(filter, SYS_getppid, 0x2f0000001f), 0);
}

TEST(Seccomp, ConditionsOnDifferentArgumentsAllHaveToHold) {
  auto filter = compiled(
      profile(SeccompAction::kAllow,
              {rule({"getppid"}, SeccompAction::kErrno,
                    {{0, 1, {}, SeccompOperator::kEq}, {2, 3, {}, SeccompOperator::kEq}})}));
  EXPECT_EQ(errno_of(filter, SYS_getppid, 1, 0, 3), EPERM);
  EXPECT_EQ(errno_of(filter, SYS_getppid, 1, 0, 4), 0);
  EXPECT_EQ(errno_of(filter, SYS_getppid, 0, 0, 3), 0);
}

TEST(Seccomp, OfConditionsOnTheSameArgumentOneIsEnough) {
  auto filter = compiled(
      profile(SeccompAction::kAllow,
              {rule({"getppid"}, SeccompAction::kErrno,
                    {{0, 1, {}, SeccompOperator::kEq}, {0, 3, {}, SeccompOperator::kEq}})}));
  EXPECT_EQ(errno_of(filter, SYS_getppid, 1), EPERM);
  EXPECT_EQ(errno_of(filter, SYS_getppid, 2), 0);
  EXPECT_EQ(errno_of(filter, SYS_getppid, 3), EPERM);
}

TEST(Seccomp, SystemCallsNewerThanTheProfileAreEnosysNotEperm) {
  auto p = profile(SeccompAction::kErrno, {rule({"exit_group", "openat2"}, SeccompAction::kAllow)});
  EXPECT_EQ(errno_of(compiled(p), 999), ENOSYS);
  EXPECT_EQ(errno_of(compiled(p), SYS_openat2 + 1), ENOSYS);
  EXPECT_EQ(errno_of(compiled(p), SYS_getppid), EPERM);
  EXPECT_EQ(verdict(compiled(p), AUDIT_ARCH_X86_64, 0xffffffff), kEnosys);
  p.default_errno_ret = EPERM;
  EXPECT_EQ(errno_of(compiled(p), 999), ENOSYS);
  // Another answer was chosen on purpose.
  p.default_errno_ret = ENXIO;
  EXPECT_EQ(errno_of(compiled(p), 999), ENXIO);
  p.default_errno_ret.reset();
  p.default_action = SeccompAction::kKillProcess;
  EXPECT_EQ(verdict(compiled(p), AUDIT_ARCH_X86_64, 999), SECCOMP_RET_KILL_PROCESS);
  p.default_action = SeccompAction::kAllow;
  EXPECT_EQ(verdict(compiled(p), AUDIT_ARCH_X86_64, 999), SECCOMP_RET_ALLOW);
}

TEST(Seccomp, EveryArchitectureHasItsOwnNewestSystemCall) {
  auto p = profile(SeccompAction::kErrno, {rule({"exit_group", "preadv2"}, SeccompAction::kAllow)});
  p.architectures = {SeccompArch::kX86_64,  SeccompArch::kX86, SeccompArch::kX32,
                     SeccompArch::kAarch64, SeccompArch::kArm, SeccompArch::kS390x};
  auto filter = compiled(p);
  EXPECT_EQ(verdict(filter, AUDIT_ARCH_X86_64, 327), SECCOMP_RET_ALLOW);
  EXPECT_EQ(verdict(filter, AUDIT_ARCH_X86_64, 326), kEperm);
  EXPECT_EQ(verdict(filter, AUDIT_ARCH_X86_64, 328), kEnosys);
  EXPECT_EQ(verdict(filter, AUDIT_ARCH_I386, 378), SECCOMP_RET_ALLOW);
  EXPECT_EQ(verdict(filter, AUDIT_ARCH_I386, 328), kEperm);
  EXPECT_EQ(verdict(filter, AUDIT_ARCH_I386, 379), kEnosys);
  EXPECT_EQ(verdict(filter, AUDIT_ARCH_X86_64, 0x40000000 + 546), SECCOMP_RET_ALLOW);
  EXPECT_EQ(verdict(filter, AUDIT_ARCH_X86_64, 0x40000000 + 545), kEperm);
  EXPECT_EQ(verdict(filter, AUDIT_ARCH_X86_64, 0x40000000 + 547), kEnosys);
  EXPECT_EQ(verdict(filter, AUDIT_ARCH_AARCH64, 286), SECCOMP_RET_ALLOW);
  EXPECT_EQ(verdict(filter, AUDIT_ARCH_AARCH64, 287), kEnosys);
  EXPECT_EQ(verdict(filter, AUDIT_ARCH_ARM, 392), SECCOMP_RET_ALLOW);
  EXPECT_EQ(verdict(filter, AUDIT_ARCH_ARM, 393), kEnosys);
  EXPECT_EQ(verdict(filter, AUDIT_ARCH_ARM, 0x0f0005), kEperm);
  EXPECT_EQ(verdict(filter, AUDIT_ARCH_S390X, 0), kEnosys);
  EXPECT_EQ(verdict(filter, AUDIT_ARCH_S390X, 1), kEperm);
}

TEST(Seccomp, ArmPrivateCallsDoNotMakeAProfileNew) {
  auto p = profile(SeccompAction::kErrno, {rule({"preadv2", "set_tls"}, SeccompAction::kAllow)});
  p.architectures = {SeccompArch::kArm};
  auto filter = compiled(p);
  EXPECT_EQ(verdict(filter, AUDIT_ARCH_ARM, 393), kEnosys);
  EXPECT_EQ(verdict(filter, AUDIT_ARCH_ARM, 0x0f0004), kEperm);
  EXPECT_EQ(verdict(filter, AUDIT_ARCH_ARM, 0x0f0005), SECCOMP_RET_ALLOW);
}

TEST(Seccomp, ArchitecturesThatAreNotListedAreKilled) {
  auto filter = compiled(profile(SeccompAction::kAllow));
  EXPECT_EQ(verdict(filter, AUDIT_ARCH_X86_64, 1), SECCOMP_RET_ALLOW);
  EXPECT_EQ(verdict(filter, AUDIT_ARCH_I386, 1), SECCOMP_RET_KILL_THREAD);
  EXPECT_EQ(verdict(filter, AUDIT_ARCH_X86_64, 0x40000001), SECCOMP_RET_KILL_THREAD);
  EXPECT_EQ(verdict(filter, AUDIT_ARCH_X86_64, 0xffffffff), SECCOMP_RET_ALLOW);
}

TEST(Seccomp, SystemCallsNewerThanLibseccompAreKnownByNumber) {
  auto p = profile(SeccompAction::kErrno, {rule({"exit_group", "mseal"}, SeccompAction::kAllow)});
  p.architectures = {SeccompArch::kX86, SeccompArch::kX32};
  auto filter = compiled(p);
  EXPECT_TRUE(filter.warnings.empty());
  EXPECT_EQ(verdict(filter, AUDIT_ARCH_X86_64, 462), SECCOMP_RET_ALLOW);  // mseal, of Linux 6.10
  EXPECT_EQ(errno_of(filter, 461), EPERM);
  EXPECT_EQ(verdict(filter, AUDIT_ARCH_I386, 462), SECCOMP_RET_ALLOW);
  EXPECT_EQ(verdict(filter, AUDIT_ARCH_X86_64, 0x40000000 + 462), SECCOMP_RET_ALLOW);
}

TEST(Seccomp, UnknownNamesAreIgnoredWithAWarning) {
  auto filter = compiled(
      profile(SeccompAction::kAllow, {rule({"no_such_call", "getppid"}, SeccompAction::kErrno)}));
  ASSERT_EQ(filter.warnings.size(), 1u);
  EXPECT_NE(filter.warnings[0].find("\"no_such_call\""), std::string::npos);
  EXPECT_EQ(errno_of(filter, SYS_getppid), EPERM);
}

TEST(Seccomp, I386SocketCallsAreFilteredBehindSocketcallToo) {
  auto p = profile(SeccompAction::kAllow, {rule({"socket", "semop"}, SeccompAction::kErrno)});
  p.architectures = {SeccompArch::kX86};
  auto filter = compiled(p);
  EXPECT_EQ(verdict(filter, AUDIT_ARCH_I386, 359), kEperm);       // socket
  EXPECT_EQ(verdict(filter, AUDIT_ARCH_I386, 102, {1}), kEperm);  // socketcall(SYS_SOCKET)
  EXPECT_EQ(verdict(filter, AUDIT_ARCH_I386, 102, {2}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(verdict(filter, AUDIT_ARCH_I386, 117, {1}), kEperm);  // ipc(SEMOP)
  EXPECT_EQ(verdict(filter, AUDIT_ARCH_X86_64, 41), kEperm);
}

TEST(Seccomp, ErrorsNameThePlace) {
  auto p = profile(SeccompAction::kErrno,
                   {rule({"read"}, SeccompAction::kAllow),
                    rule({"write"}, SeccompAction::kAllow, {{6, 0, {}, SeccompOperator::kEq}})});
  EXPECT_EQ(
      refusal(p),
      "linux.seccomp.syscalls[1].args[0].index: 6 is out of range, a system call has arguments 0 "
      "to 5");
  p.syscalls.pop_back();
  p.syscalls[0].errno_ret = 5;
  EXPECT_TRUE(
      refusal(p).starts_with("linux.seccomp.syscalls[0].errnoRet: SCMP_ACT_ALLOW has no errno"));
  p.syscalls[0].action = SeccompAction::kErrno;
  p.syscalls[0].errno_ret = 4096;
  EXPECT_EQ(refusal(p), "linux.seccomp.syscalls[0].errnoRet: 4096 is out of range, 0 to 4095");
  p.syscalls.clear();
  p.default_action = SeccompAction::kKill;
  p.default_errno_ret = 1;
  EXPECT_TRUE(refusal(p).starts_with("linux.seccomp.defaultErrnoRet: SCMP_ACT_KILL has no errno"));
  p = profile(SeccompAction::kAllow);
  p.architectures = {SeccompArch::kX86, SeccompArch::kSh};
  EXPECT_TRUE(refusal(p).starts_with("linux.seccomp.architectures[1]: not supported: "));
}

TEST(Seccomp, KnownArchitecturesCompile) {
  auto names = known_seccomp_architectures();
  EXPECT_GE(names.size(), 19u);
  oci::Seccomp p =
      profile(SeccompAction::kErrno, {rule({"read", "accept"}, SeccompAction::kAllow)});
  for (auto name : names) p.architectures.push_back(*oci::parse<SeccompArch>(name));
  auto filter = compiled(p);
  EXPECT_EQ(verdict(filter, AUDIT_ARCH_MIPS, 4003), SECCOMP_RET_ALLOW);
  EXPECT_EQ(verdict(filter, AUDIT_ARCH_X86_64, SYS_read), SECCOMP_RET_ALLOW);
}

TEST(Seccomp, OfOverlappingRulesTheFirstOneAnswers) {
  auto p = profile(SeccompAction::kAllow,
                   {rule({"getppid"}, SeccompAction::kErrno, {{0, 5, {}, SeccompOperator::kGe}}),
                    rule({"getppid"}, SeccompAction::kErrno, {{0, 9, {}, SeccompOperator::kGe}})});
  p.syscalls[0].errno_ret = 10;
  p.syscalls[1].errno_ret = 11;
  EXPECT_EQ(errno_of(compiled(p), SYS_getppid, 9), 10);
  std::swap(p.syscalls[0], p.syscalls[1]);
  EXPECT_EQ(errno_of(compiled(p), SYS_getppid, 9), 11);
  EXPECT_EQ(errno_of(compiled(p), SYS_getppid, 8), 10);
}

TEST(Seccomp, ARuleWithoutArgsOverridesThoseWithArgs) {
  auto p = profile(SeccompAction::kAllow,
                   {rule({"getppid"}, SeccompAction::kTrap, {{0, 5, {}, SeccompOperator::kEq}}),
                    rule({"getppid"}, SeccompAction::kErrno)});
  EXPECT_EQ(errno_of(compiled(p), SYS_getppid, 5), EPERM);
}

TEST(Seccomp, ARuleWhoseActionIsTheDefaultSaysNothing) {
  auto p = profile(SeccompAction::kAllow,
                   {rule({"getppid"}, SeccompAction::kAllow),
                    rule({"getppid"}, SeccompAction::kErrno, {{0, 5, {}, SeccompOperator::kEq}})});
  EXPECT_EQ(errno_of(compiled(p), SYS_getppid, 5), EPERM);
  EXPECT_EQ(errno_of(compiled(p), SYS_getppid, 6), 0);
}

TEST(Seccomp, AProfileWithManyConditionsJumpsFarAndIsRefusedOnlyAtTheKernelsLimit) {
  auto p = profile(SeccompAction::kAllow);
  for (uint64_t i = 0; i < 300; ++i) {
    p.syscalls.push_back(rule({i % 2 ? "getppid" : "getpgrp"}, SeccompAction::kErrno,
                              {{0, i << 33 | i, {}, SeccompOperator::kEq}}));
  }
  auto filter = compiled(p);
  EXPECT_EQ(errno_of(filter, SYS_getppid, long{299} << 33 | 299), EPERM);
  EXPECT_EQ(errno_of(filter, SYS_getpgrp, long{298} << 33 | 298), EPERM);
  EXPECT_EQ(errno_of(filter, SYS_getpgrp, long{299} << 33 | 299), 0);
  EXPECT_EQ(errno_of(filter, SYS_getpid), 0);
  for (uint64_t i = 300; i < 1000; ++i) {
    p.syscalls.push_back(
        rule({"getppid"}, SeccompAction::kErrno, {{0, i, {}, SeccompOperator::kEq}}));
  }
  EXPECT_NE(refusal(p).find("and the kernel takes 4096"), std::string::npos) << refusal(p);
}

}  // namespace
}  // namespace ocirt
