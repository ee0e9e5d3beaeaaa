// From `linux.seccomp` to the bytes that seccomp(2) loads (config-linux.md, "Seccomp").
//
// The filter is compiled by the parent before any process exists: that allocates, and the memory
// must not be charged to the container. The child only calls seccomp(2) with the bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "oci-spec/seccomp.h"
#include "src/base/result.h"

namespace ocirt {

// struct sock_filter of <linux/filter.h>, comparable.
struct BpfInstruction {
  uint16_t code = 0;
  uint8_t jump_true = 0;
  uint8_t jump_false = 0;
  uint32_t k = 0;

  bool operator==(const BpfInstruction&) const = default;
};
static_assert(sizeof(BpfInstruction) == 8);

struct SeccompFilter {
  // For struct sock_fprog: program.data() may be cast to sock_filter*; at most 4096 (BPF_MAXINSNS).
  std::vector<BpfInstruction> program;

  // SECCOMP_FILTER_FLAG_* for seccomp(2). SECCOMP_FILTER_FLAG_NEW_LISTENER is there if `notify`,
  // and seccomp(2) then returns the listener's descriptor.
  unsigned flags = 0;

  bool notify = false;  // a rule answers SCMP_ACT_NOTIFY; linux.seccomp.listenerPath is needed

  // Names in the profile that libseccomp does not know; there is no rule for them.
  std::vector<std::string> unknown_names;

  // Sentences for the debug log: names of system calls that libseccomp does not know, and so on.
  std::vector<std::string> warnings;

  bool operator==(const SeccompFilter&) const = default;
};

// Compiles the profile. Errors name the place, such as
//   linux.seccomp.syscalls[3].args[0].index: 6 is out of range, a system call has arguments 0 to 5
// An errnoRet on an action that has none is an error, as the specification demands. Pure: makes no
// system call.
Result<SeccompFilter> compile_seccomp(const oci::Seccomp& profile);

// What this build supports, for `linux.seccomp` of `ocirt features`: words of the specification.
std::span<const std::string_view> known_seccomp_actions();
std::span<const std::string_view> known_seccomp_operators();
std::vector<std::string_view> known_seccomp_architectures();  // as the linked libseccomp has them
std::span<const std::string_view> known_seccomp_flags();

// Version of the linked libseccomp, "2.5.4".
std::string libseccomp_version();

}  // namespace ocirt
