// Jumps of classic BPF go forward only, conditional ones by at most 255 instructions. Every piece
// here is therefore made from its end: the parts that are jumped over exist before the jump does.
#include "src/linux/seccomp_bpf.h"

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <bit>
#include <cstddef>

namespace ocirt {
namespace {

static_assert(sizeof(BpfInstruction) == sizeof(sock_filter));
static_assert(offsetof(BpfInstruction, jump_true) == offsetof(sock_filter, jt));
static_assert(offsetof(BpfInstruction, jump_false) == offsetof(sock_filter, jf));
static_assert(offsetof(BpfInstruction, k) == offsetof(sock_filter, k));

using Program = std::vector<BpfInstruction>;

constexpr size_t kFarthest = 255;

void load(Program& out, size_t offset) {
  out.push_back({BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<uint32_t>(offset)});
}

void answer(Program& out, uint32_t action) { out.push_back({BPF_RET | BPF_K, 0, 0, action}); }

void append(Program& out, const Program& more) { out.insert(out.end(), more.begin(), more.end()); }

// if (accumulator <test> k) goto behind `skipped`; else `skipped` follows.
void skip_if(Program& out, uint16_t test, uint32_t k, const Program& skipped) {
  auto code = static_cast<uint16_t>(BPF_JMP | test | BPF_K);
  if (skipped.size() <= kFarthest) {
    out.push_back({code, static_cast<uint8_t>(skipped.size()), 0, k});
  } else {
    out.push_back({code, 0, 1, k});
    out.push_back({BPF_JMP | BPF_JA, 0, 0, static_cast<uint32_t>(skipped.size())});
  }
  append(out, skipped);
}

// if (!(accumulator <test> k)) goto behind `skipped`.
void skip_unless(Program& out, uint16_t test, uint32_t k, const Program& skipped) {
  auto code = static_cast<uint16_t>(BPF_JMP | test | BPF_K);
  if (skipped.size() <= kFarthest) {
    out.push_back({code, 0, static_cast<uint8_t>(skipped.size()), k});
  } else {
    out.push_back({code, 1, 0, k});
    out.push_back({BPF_JMP | BPF_JA, 0, 0, static_cast<uint32_t>(skipped.size())});
  }
  append(out, skipped);
}

// Targets of the jumps inside a rule, replaced when the rule is complete. A rule has at most six
// conditions of at most six instructions, far below these numbers.
constexpr uint8_t kHolds = 254;  // this condition holds: on to the next one
constexpr uint8_t kFails = 255;  // this rule does not answer

size_t half_offset(uint32_t argument, bool upper) {
  bool second = upper == (std::endian::native == std::endian::little);
  return offsetof(seccomp_data, args) + 8 * size_t{argument} + (second ? 4 : 0);
}

void compare(Program& out, uint16_t test, uint32_t k, uint8_t yes, uint8_t no) {
  out.push_back({static_cast<uint16_t>(BPF_JMP | test | BPF_K), yes, no, k});
}

void mask(Program& out, uint32_t bits) {
  if (bits != 0xffffffff) out.push_back({BPF_ALU | BPF_AND | BPF_K, 0, 0, bits});
}

void condition(Program& out, const BpfCondition& c, bool narrow) {
  using enum oci::SeccompOperator;
  bool masked = c.op == kMaskedEq;
  uint64_t value = masked ? c.value & c.mask : c.value;
  auto upper = static_cast<uint32_t>(value >> 32);
  auto lower = static_cast<uint32_t>(value);

  if (!narrow) {
    load(out, half_offset(c.argument, true));
    if (masked) mask(out, static_cast<uint32_t>(c.mask >> 32));
    switch (c.op) {
      case kEq:
      case kMaskedEq:
        compare(out, BPF_JEQ, upper, 0, kFails);
        break;
      case kNe:
        compare(out, BPF_JEQ, upper, 0, kHolds);
        break;
      case kGt:
      case kGe:
        compare(out, BPF_JGT, upper, kHolds, 0);
        compare(out, BPF_JEQ, upper, 0, kFails);
        break;
      case kLt:
      case kLe:
        compare(out, BPF_JGT, upper, kFails, 0);
        compare(out, BPF_JEQ, upper, 0, kHolds);
        break;
    }
  }
  load(out, half_offset(c.argument, false));
  if (masked) mask(out, static_cast<uint32_t>(c.mask));
  switch (c.op) {
    case kEq:
    case kMaskedEq:
      compare(out, BPF_JEQ, lower, kHolds, kFails);
      break;
    case kNe:
      compare(out, BPF_JEQ, lower, kFails, kHolds);
      break;
    case kGt:
      compare(out, BPF_JGT, lower, kHolds, kFails);
      break;
    case kLe:
      compare(out, BPF_JGT, lower, kFails, kHolds);
      break;
    case kGe:
      compare(out, BPF_JGE, lower, kHolds, kFails);
      break;
    case kLt:
      compare(out, BPF_JGE, lower, kFails, kHolds);
      break;
  }
}

void rule(Program& out, const BpfRule& r, bool narrow) {
  Program body;
  std::vector<size_t> ends;  // where each condition ends
  for (const BpfCondition& c : r.conditions) {
    condition(body, c, narrow);
    ends.push_back(body.size());
  }
  answer(body, r.action);
  size_t part = 0;
  for (size_t i = 0; i + 1 < body.size(); ++i) {
    while (i >= ends[part]) ++part;
    for (uint8_t* jump : {&body[i].jump_true, &body[i].jump_false}) {
      if (*jump == kHolds) *jump = static_cast<uint8_t>(ends[part] - i - 1);
      if (*jump == kFails) *jump = static_cast<uint8_t>(body.size() - i - 1);
    }
  }
  append(out, body);
}

// The number is in the accumulator and lies in one of `ranges`.
Program bisect(std::span<const BpfRange> ranges) {
  Program out;
  if (ranges.size() == 1) {
    const BpfRange& range = ranges[0];
    for (const BpfRule& r : range.rules) rule(out, r, range.narrow);
    answer(out, range.action);
    return out;
  }
  size_t middle = ranges.size() / 2;
  skip_if(out, BPF_JGE, ranges[middle].first, bisect(ranges.first(middle)));
  append(out, bisect(ranges.subspan(middle)));
  return out;
}

}  // namespace

std::vector<BpfInstruction> bpf_program(std::span<const BpfArch> archs, uint32_t other_arch) {
  Program out;
  load(out, offsetof(seccomp_data, arch));
  for (const BpfArch& arch : archs) {
    Program section;
    load(section, offsetof(seccomp_data, nr));
    append(section, bisect(arch.ranges));
    skip_unless(out, BPF_JEQ, arch.audit_arch, section);
  }
  answer(out, other_arch);
  return out;
}

}  // namespace ocirt
