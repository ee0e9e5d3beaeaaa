// Filters of random profiles compared with those that libseccomp makes of the same profiles.
#include <errno.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <random>

#include "src/linux/seccomp_interpreter.h"

namespace ocirt {
namespace {

using oci::SeccompAction;
using oci::SeccompArch;
using oci::SeccompFlag;
using oci::SeccompOperator;

std::vector<BpfInstruction> reference(const oci::Seccomp& p) {
  scmp_filter_ctx context = seccomp_init(SCMP_ACT_ERRNO(ENXIO));
  seccomp_arch_add(context, SCMP_ARCH_X86);
  seccomp_arch_add(context, SCMP_ARCH_X32);
  for (const oci::Syscall& s : p.syscalls) {
    uint32_t action =
        s.action == SeccompAction::kAllow ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(*s.errno_ret);
    std::vector<scmp_arg_cmp> args;
    for (const oci::SyscallArg& a : s.args) {
      scmp_compare op{};
      switch (a.op) {
        case SeccompOperator::kEq:
          op = SCMP_CMP_EQ;
          break;
        case SeccompOperator::kGe:
          op = SCMP_CMP_GE;
          break;
        case SeccompOperator::kGt:
          op = SCMP_CMP_GT;
          break;
        case SeccompOperator::kLe:
          op = SCMP_CMP_LE;
          break;
        case SeccompOperator::kLt:
          op = SCMP_CMP_LT;
          break;
        case SeccompOperator::kMaskedEq:
          op = SCMP_CMP_MASKED_EQ;
          break;
        case SeccompOperator::kNe:
          op = SCMP_CMP_NE;
          break;
      }
      args.push_back({a.index, op, a.value, a.value_two.value_or(0)});
    }
    for (const std::string& name : s.names) {
      int number = seccomp_syscall_resolve_name(name.c_str());
      EXPECT_EQ(seccomp_rule_add_array(context, action, number, static_cast<unsigned>(args.size()),
                                       args.data()),
                0)
          << name;
    }
  }
  int file = memfd_create("reference", MFD_CLOEXEC);
  seccomp_export_bpf(context, file);
  std::vector<BpfInstruction> program(static_cast<size_t>(lseek(file, 0, SEEK_END)) / 8);
  EXPECT_GT(pread(file, program.data(), program.size() * 8, 0), 0);
  ::close(file);
  seccomp_release(context);
  return program;
}

TEST(SeccompReference, AnswersLikeLibseccompOnRandomProfiles) {
  std::mt19937_64 random(20240611);
  auto pick = [&](size_t n) { return static_cast<size_t>(random() % n); };
  const uint64_t values[] = {0,
                             1,
                             2,
                             5,
                             40,
                             0x7fffffff,
                             0x80000000,
                             0xffffffff,
                             0x100000000,
                             0x100000005,
                             0x2000000ff,
                             0xffffffff00000000,
                             0xffffffffffffffff};
  for (int round = 0; round < 60; ++round) {
    oci::Seccomp p = profile(SeccompAction::kErrno);
    p.default_errno_ret = ENXIO;
    p.architectures = {SeccompArch::kX86, SeccompArch::kX32};
    p.flags = {SeccompFlag::kTsync};
    std::vector<std::string> names;
    for (int number = 0; number < 450; ++number) {
      if (pick(3) == 0) continue;
      char* name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, number);
      if (name != nullptr) names.emplace_back(name);
      free(name);
    }
    for (const std::string& name : names) {
      if (pick(12) != 0) {
        p.syscalls.push_back(rule({name}, pick(3) ? SeccompAction::kAllow : SeccompAction::kErrno));
        if (p.syscalls.back().action == SeccompAction::kErrno)
          p.syscalls.back().errno_ret = 1 + pick(3);
        continue;
      }
      // libseccomp turns conditions on a multiplexed call into conditions on the wrong arguments.
      if (seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86, name.c_str()) < 0) continue;
      bool multiplexed = name.starts_with("s") || name.starts_with("r") || name.starts_with("m") ||
                         name == "bind" || name == "connect" || name == "listen" ||
                         name.starts_with("accept") || name.starts_with("get");
      if (multiplexed) continue;
      // One rule for each call: of two that overlap libseccomp 2.5 loses one.
      oci::Syscall s = rule({name}, SeccompAction::kAllow);
      auto first = static_cast<uint32_t>(pick(3));
      auto last = static_cast<uint32_t>(first + pick(3));
      for (uint32_t i = first; i <= last; ++i) {
        oci::SyscallArg arg;
        arg.index = i;
        arg.op = static_cast<SeccompOperator>(pick(7));
        arg.value = values[pick(std::size(values))];
        if (arg.op == SeccompOperator::kMaskedEq) arg.value_two = values[pick(std::size(values))];
        s.args.push_back(arg);
      }
      p.syscalls.push_back(s);
    }
    auto ours = compiled(p);
    auto theirs = reference(p);
    for (int call = 0; call < 6000; ++call) {
      seccomp_data data{};
      uint32_t number = static_cast<uint32_t>(pick(470));
      switch (pick(8)) {
        case 0:
        case 1:
          data.arch = AUDIT_ARCH_I386;
          break;
        case 2:
        case 3:
          data.arch = AUDIT_ARCH_X86_64;
          number |= 0x40000000;
          break;
        case 4:
          data.arch = AUDIT_ARCH_AARCH64;
          break;
        default:
          data.arch = AUDIT_ARCH_X86_64;
      }
      data.nr = static_cast<int>(number);
      for (auto& arg : data.args) {
        arg = values[pick(std::size(values))] + (pick(3) == 0 ? pick(3) - 1 : 0);
        // A 32-bit program has no upper halves.
        if (data.arch == AUDIT_ARCH_I386) arg &= 0xffffffff;
      }
      ASSERT_EQ(interpret(ours.program, data), interpret(theirs, data))
          << "round " << round << " arch " << std::hex << data.arch << " number " << number;
    }
  }
}

}  // namespace
}  // namespace ocirt
