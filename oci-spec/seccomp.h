// Seccomp: which system calls the container may make (config-linux.md, "Seccomp").
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "oci-spec/enumeration.h"

namespace oci {

// What a filter answers. SCMP_ACT_KILL is libseccomp's old name of SCMP_ACT_KILL_THREAD.
enum class SeccompAction : std::uint8_t {
  kAllow,
  kErrno,
  kKill,
  kKillProcess,
  kKillThread,
  kLog,
  kNotify,
  kTrace,
  kTrap,
};
inline constexpr std::string_view kSeccompActionNames[] = {
    "SCMP_ACT_ALLOW",        "SCMP_ACT_ERRNO",       "SCMP_ACT_KILL",
    "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_LOG",
    "SCMP_ACT_NOTIFY",       "SCMP_ACT_TRACE",       "SCMP_ACT_TRAP"};
constexpr std::span<const std::string_view> names_of(SeccompAction) { return kSeccompActionNames; }
static_assert(names_agree(SeccompAction::kTrap));

// How an argument is compared; "masked" is (argument & value) == value_two.
enum class SeccompOperator : std::uint8_t { kEq, kGe, kGt, kLe, kLt, kMaskedEq, kNe };
inline constexpr std::string_view kSeccompOperatorNames[] = {
    "SCMP_CMP_EQ", "SCMP_CMP_GE",        "SCMP_CMP_GT", "SCMP_CMP_LE",
    "SCMP_CMP_LT", "SCMP_CMP_MASKED_EQ", "SCMP_CMP_NE"};
constexpr std::span<const std::string_view> names_of(SeccompOperator) {
  return kSeccompOperatorNames;
}
static_assert(names_agree(SeccompOperator::kNe));

// System call tables that the filter covers.
enum class SeccompArch : std::uint8_t {
  kAarch64,
  kArm,
  kLoongarch64,
  kM68k,
  kMips,
  kMips64,
  kMips64n32,
  kMipsel,
  kMipsel64,
  kMipsel64n32,
  kParisc,
  kParisc64,
  kPpc,
  kPpc64,
  kPpc64le,
  kRiscv64,
  kS390,
  kS390x,
  kSh,
  kSheb,
  kX32,
  kX86,
  kX86_64,
};
inline constexpr std::string_view kSeccompArchNames[] = {
    "SCMP_ARCH_AARCH64",  "SCMP_ARCH_ARM",         "SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K",
    "SCMP_ARCH_MIPS",     "SCMP_ARCH_MIPS64",      "SCMP_ARCH_MIPS64N32",   "SCMP_ARCH_MIPSEL",
    "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PARISC",      "SCMP_ARCH_PARISC64",
    "SCMP_ARCH_PPC",      "SCMP_ARCH_PPC64",       "SCMP_ARCH_PPC64LE",     "SCMP_ARCH_RISCV64",
    "SCMP_ARCH_S390",     "SCMP_ARCH_S390X",       "SCMP_ARCH_SH",          "SCMP_ARCH_SHEB",
    "SCMP_ARCH_X32",      "SCMP_ARCH_X86",         "SCMP_ARCH_X86_64"};
constexpr std::span<const std::string_view> names_of(SeccompArch) { return kSeccompArchNames; }
static_assert(names_agree(SeccompArch::kX86_64));

// seccomp(2) SECCOMP_SET_MODE_FILTER flags.
enum class SeccompFlag : std::uint8_t { kLog, kSpecAllow, kTsync, kWaitKillableRecv };
inline constexpr std::string_view kSeccompFlagNames[] = {
    "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_TSYNC",
    "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"};
constexpr std::span<const std::string_view> names_of(SeccompFlag) { return kSeccompFlagNames; }
static_assert(names_agree(SeccompFlag::kWaitKillableRecv));

// A condition on one argument.
struct SyscallArg {
  std::uint32_t index = 0;                      // required; 0 to 5
  std::uint64_t value = 0;                      // required
  std::optional<std::uint64_t> value_two = {};  // for kMaskedEq; absent is 0
  SeccompOperator op = SeccompOperator::kEq;    // required

  bool operator==(const SyscallArg&) const = default;
};

// One rule: these calls, with these arguments, get this answer.
struct Syscall {
  std::vector<std::string> names = {};           // required, at least one; open vocabulary
  SeccompAction action = SeccompAction::kAllow;  // required
  std::optional<std::uint32_t> errno_ret = {};   // for kErrno and kTrace; absent is EPERM
  std::vector<SyscallArg> args = {};

  bool operator==(const Syscall&) const = default;
};

struct Seccomp {
  SeccompAction default_action = SeccompAction::kAllow;  // required; for calls without a rule
  std::optional<std::uint32_t> default_errno_ret = {};   // for kErrno and kTrace; absent is EPERM
  std::vector<SeccompArch> architectures = {};           // besides the native one
  std::vector<SeccompFlag> flags = {};
  std::optional<std::string> listener_path = {};      // UNIX socket that gets the notify descriptor
  std::optional<std::string> listener_metadata = {};  // opaque, for whoever listens there
  std::vector<Syscall> syscalls = {};

  bool operator==(const Seccomp&) const = default;
};

}  // namespace oci
