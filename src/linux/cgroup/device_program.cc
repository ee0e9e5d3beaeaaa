#include "src/linux/cgroup/device_program.h"

#include <cstddef>
#include <cstdint>
#include <utility>

namespace ocirt::cgroup {
namespace {

// Registers by their use. R1 holds the context at the start.
constexpr uint8_t kResult = BPF_REG_0, kContext = BPF_REG_1, kType = BPF_REG_2, kWanted = BPF_REG_3,
                  kMajor = BPF_REG_4, kMinor = BPF_REG_5,
                  kDevice = BPF_REG_6;  // major and minor in one number, as in the kernel's dev_t

// dev_t of the kernel: 12 bits of major, 20 of minor. A rule for a larger number never applies.
constexpr int kMinorBits = 20;
constexpr int64_t kLargestMajor = 0xfff, kLargestMinor = 0xfffff;

struct Comparison {
  uint8_t value;
  int64_t constant;
};

// The comparisons that tell whether a device is the rule's: one, two where the constant would not
// fit into an instruction (it is extended with its sign), none for "all".
std::vector<Comparison> comparisons(const DeviceRule& rule) {
  std::vector<Comparison> out;
  const int64_t device = rule.major << kMinorBits | rule.minor;
  if (rule.major >= 0 && rule.minor >= 0 && device <= INT32_MAX) {
    out.push_back({kDevice, device});
  } else {
    if (rule.major >= 0) out.push_back({kMajor, rule.major});
    if (rule.minor >= 0) out.push_back({kMinor, rule.minor});
  }
  return out;
}

class Program {
 public:
  Program() {
    // The type is in the lower, the access in the upper half of the first word.
    load(kType, offsetof(bpf_cgroup_dev_ctx, access_type));
    copy(kWanted, kType);
    operate(BPF_AND, kType, 0xffff);
    operate(BPF_RSH, kWanted, 16);
    load(kMajor, offsetof(bpf_cgroup_dev_ctx, major));
    load(kMinor, offsetof(bpf_cgroup_dev_ctx, minor));
    copy(kDevice, kMajor);
    operate(BPF_LSH, kDevice, kMinorBits);
    add({BPF_ALU | BPF_OR | BPF_X, kDevice, kMinor, 0, 0});
  }

  // The rules of one type, which follow one another more often than not: one comparison for all.
  // They are in their order and taken from the last.
  void add_rules(char type, std::span<const DeviceRule> rules) {
    std::vector<size_t> other_type;
    if (type != 'a') {
      other_type.push_back(
          jump(BPF_JNE, kType, type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR));
    }
    for (size_t i = rules.size(); i-- > 0;) {
      // The verifier does not take instructions that cannot be reached.
      if (!add_rule(rules[i])) break;
    }
    land(other_type);
  }

  // Both answers are at the end, each once.
  std::vector<bpf_insn> finish(bool otherwise) {
    land(otherwise ? to_allow_ : to_deny_);
    give(otherwise);
    const std::vector<size_t>& jumps = otherwise ? to_deny_ : to_allow_;
    if (!jumps.empty()) {
      land(jumps);
      give(!otherwise);
    }
    return std::move(instructions_);
  }

 private:
  // False when the rule settles everything of its type.
  bool add_rule(const DeviceRule& rule) {
    if (rule.major > kLargestMajor || rule.minor > kLargestMinor) return true;
    const std::vector<Comparison> device = comparisons(rule);
    const bool all_access = rule.access == kAllAccess;
    std::vector<size_t> other_device;
    for (size_t i = 0; i < device.size(); ++i) {
      const auto [value, constant] = device[i];
      if (all_access && i + 1 == device.size()) {
        answer_if(BPF_JEQ, value, constant, rule.allow);
      } else {
        other_device.push_back(jump(BPF_JNE, value, constant));
      }
    }
    if (all_access && device.empty()) {
      answer_if(BPF_JA, 0, 0, rule.allow);
      return false;
    }
    if (!all_access && rule.allow) {
      // What this rule grants is settled; earlier rules decide on the rest.
      operate(BPF_AND, kWanted, static_cast<int32_t>(kAllAccess & ~rule.access));
      answer_if(BPF_JEQ, kWanted, 0, true);
    } else if (!all_access) {
      answer_if(BPF_JSET, kWanted, rule.access, false);
    }
    land(other_device);
    return true;
  }

  void add(bpf_insn instruction) { instructions_.push_back(instruction); }
  void load(uint8_t to, size_t offset) {
    add({BPF_LDX | BPF_MEM | BPF_W, to, kContext, static_cast<int16_t>(offset), 0});
  }
  void operate(uint8_t operation, uint8_t to, int32_t constant) {
    add({static_cast<uint8_t>(BPF_ALU | operation | BPF_K), to, 0, 0, constant});
  }
  void copy(uint8_t to, uint8_t from) { add({BPF_ALU | BPF_MOV | BPF_X, to, from, 0, 0}); }
  void give(bool allow) {
    operate(BPF_MOV, kResult, allow ? 1 : 0);
    add({BPF_JMP | BPF_EXIT, 0, 0, 0, 0});
  }

  // A jump whose target land() sets later.
  size_t jump(uint8_t comparison, uint8_t value, int64_t constant) {
    add({static_cast<uint8_t>(BPF_JMP | comparison | BPF_K), value, 0, 0,
         static_cast<int32_t>(constant)});
    return instructions_.size() - 1;
  }
  void land(const std::vector<size_t>& jumps) {
    for (size_t from : jumps) {
      instructions_[from].off = static_cast<int16_t>(instructions_.size() - from - 1);
    }
  }
  void answer_if(uint8_t comparison, uint8_t value, int64_t constant, bool allow) {
    (allow ? to_allow_ : to_deny_).push_back(jump(comparison, value, constant));
  }

  std::vector<bpf_insn> instructions_;
  std::vector<size_t> to_allow_;
  std::vector<size_t> to_deny_;
};

}  // namespace

std::vector<bpf_insn> device_program(std::span<const DeviceRule> rules) {
  Program program;
  bool otherwise = false;  // nothing is allowed unless a rule does
  while (!rules.empty()) {
    const DeviceRule& last = rules.back();
    if (last.is_total()) {
      otherwise = last.allow;
      break;
    }
    size_t begin = rules.size();
    while (begin > 0 && rules[begin - 1].type == last.type && !rules[begin - 1].is_total()) --begin;
    program.add_rules(last.type, rules.subspan(begin));
    rules = rules.first(begin);
  }
  return program.finish(otherwise);
}

}  // namespace ocirt::cgroup
