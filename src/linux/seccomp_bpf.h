// Classic BPF for seccomp: from ranges of system call numbers to instructions.
//
// Why not libseccomp's generator: for the default profile of the container engines (three
// architectures, 470 names) libseccomp 2.5 takes 12 to 20 ms, more than everything else that it
// takes to start a container. Engines' profiles are long lists of neighbouring numbers with one
// answer; taken as ranges and searched by bisection they need a fraction of the instructions and of
// the time. Tests compare the answers of both generators call by call.
//
// A program loads only the number and the architecture before it answers without conditions. The
// kernel relies on that to find out which calls are always allowed and skips the filter for them
// (Linux 5.11).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "oci-spec/seccomp.h"
#include "src/linux/seccomp.h"

namespace ocirt {

// A condition on one argument, which is 64 bits wide, or 32 in an architecture of 32 bits: then
// only the lower half is looked at.
struct BpfCondition {
  uint32_t argument = 0;  // 0 to 5
  oci::SeccompOperator op = oci::SeccompOperator::kEq;
  uint64_t value = 0;  // kMaskedEq: (argument & mask) == (value & mask)
  uint64_t mask = 0;   // for kMaskedEq only

  bool operator==(const BpfCondition&) const = default;
};

// The answer if all conditions hold; there is at least one.
struct BpfRule {
  uint32_t action = 0;  // SECCOMP_RET_* with data
  std::vector<BpfCondition> conditions;

  bool operator==(const BpfRule&) const = default;
};

// System call numbers from `first` to the next range's: the first rule that holds answers, else
// `action`.
struct BpfRange {
  uint32_t first = 0;
  uint32_t action = 0;
  bool narrow = false;  // arguments have 32 bits
  std::vector<BpfRule> rules;

  bool operator==(const BpfRange&) const = default;
};

// All ranges of one AUDIT_ARCH_*, ascending; the first one begins at 0.
struct BpfArch {
  uint32_t audit_arch = 0;
  std::vector<BpfRange> ranges;
};

// The program. Architectures are tried in their order; any other one gets `other_arch`.
std::vector<BpfInstruction> bpf_program(std::span<const BpfArch> archs, uint32_t other_arch);

}  // namespace ocirt
