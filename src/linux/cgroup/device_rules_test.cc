// Device rules: what is allowed in the end, on both versions of cgroups. Both are run here: the BPF
// program by a small interpreter, the lines of v1 by a model of the kernel's list.
#include "src/linux/cgroup/device_rules.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "src/base/text.h"
#include "src/linux/cgroup/device_program.h"

namespace ocirt::cgroup {
namespace {

struct Access {
  char type;
  uint32_t major, minor;
  unsigned wanted;
};

// The meaning, by the words of the specification: for each kind the last rule that matches.
bool allowed_by_meaning(std::span<const DeviceRule> rules, const Access& access) {
  for (unsigned kind : {kMknod, kRead, kWrite}) {
    if (!(access.wanted & kind)) continue;
    bool allowed = false;
    for (const DeviceRule& rule : rules) {
      if (rule.type != 'a' && rule.type != access.type) continue;
      if (rule.major >= 0 && rule.major != access.major) continue;
      if (rule.minor >= 0 && rule.minor != access.minor) continue;
      if (rule.access & kind) allowed = rule.allow;
    }
    if (!allowed) return false;
  }
  return true;
}

// Interprets the instructions that device_program() uses; -1 for a program that the kernel would
// not take (unknown instruction, out of bounds, no exit).
int run(const std::vector<bpf_insn>& program, const Access& access) {
  const uint32_t context[3] = {access.wanted << 16 | (access.type == 'b' ? 1u : 2u), access.major,
                               access.minor};
  uint64_t reg[11] = {};
  for (size_t pc = 0, steps = 0; pc < program.size() && steps < 100000; ++steps) {
    const bpf_insn& i = program[pc++];
    const uint64_t constant = static_cast<uint64_t>(static_cast<int64_t>(i.imm));
    switch (i.code) {
      case BPF_LDX | BPF_MEM | BPF_W:
        if (i.off < 0 || i.off > 8 || i.src_reg != 1) return -1;
        reg[i.dst_reg] = context[i.off / 4];
        break;
      case BPF_ALU | BPF_MOV | BPF_X:
        reg[i.dst_reg] = static_cast<uint32_t>(reg[i.src_reg]);
        break;
      case BPF_ALU | BPF_MOV | BPF_K:
        reg[i.dst_reg] = static_cast<uint32_t>(i.imm);
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        reg[i.dst_reg] = static_cast<uint32_t>(reg[i.dst_reg] & constant);
        break;
      case BPF_ALU | BPF_OR | BPF_X:
        reg[i.dst_reg] = static_cast<uint32_t>(reg[i.dst_reg] | reg[i.src_reg]);
        break;
      case BPF_ALU | BPF_RSH | BPF_K:
        reg[i.dst_reg] = static_cast<uint32_t>(reg[i.dst_reg]) >> i.imm;
        break;
      case BPF_ALU | BPF_LSH | BPF_K:
        reg[i.dst_reg] = static_cast<uint32_t>(reg[i.dst_reg]) << i.imm;
        break;
      case BPF_JMP | BPF_JA:
        pc += static_cast<size_t>(i.off);
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        if (reg[i.dst_reg] == constant) pc += static_cast<size_t>(i.off);
        break;
      case BPF_JMP | BPF_JNE | BPF_K:
        if (reg[i.dst_reg] != constant) pc += static_cast<size_t>(i.off);
        break;
      case BPF_JMP | BPF_JSET | BPF_K:
        if (reg[i.dst_reg] & constant) pc += static_cast<size_t>(i.off);
        break;
      case BPF_JMP | BPF_EXIT:
        return static_cast<int>(reg[0]);
      default:
        return -1;
    }
  }
  return -1;
}

// The kernel's list of a v1 cgroup (security/device_cgroup.c): exceptions to a default.
struct KernelList {
  bool allow = true;
  struct Exception {
    char type;
    int64_t major, minor;
    unsigned access;
  };
  std::vector<Exception> exceptions;

  void write(const DeviceLine& line) {
    std::vector<std::string_view> parts = split(line.text, ' ');
    if (parts[0] == "a") {
      allow = line.allow;
      exceptions.clear();
      return;
    }
    ASSERT_NE(line.allow, allow) << "would take back an exception that is not there: " << line.text;
    std::vector<std::string_view> numbers = split(parts[1], ':');
    Exception e{parts[0][0], -1, -1, 0};
    if (numbers[0] != "*") e.major = *to_number<int64_t>(numbers[0]);
    if (numbers[1] != "*") e.minor = *to_number<int64_t>(numbers[1]);
    for (char c : parts[2]) e.access |= c == 'r' ? kRead : c == 'w' ? kWrite : kMknod;
    exceptions.push_back(e);
  }
  bool allows(const Access& access) const {
    for (const Exception& e : exceptions) {
      if (e.type != access.type) continue;
      if (e.major >= 0 && e.major != access.major) continue;
      if (e.minor >= 0 && e.minor != access.minor) continue;
      const bool hit = allow ? (e.access & access.wanted) != 0 : (access.wanted & ~e.access) == 0;
      if (hit) return !allow;
    }
    return allow;
  }
};

bool v1_allows(std::span<const DeviceRule> rules, const Access& access) {
  auto lines = v1_device_lines(rules);
  EXPECT_TRUE(lines) << lines.error().text;
  KernelList list;
  for (const DeviceLine& line : *lines) list.write(line);
  return list.allows(access);
}

std::vector<DeviceRule> rules_of(std::vector<oci::DeviceCgroup> configured) {
  auto rules = device_rules(configured);
  EXPECT_TRUE(rules) << rules.error().text;
  return *rules;
}

const oci::DeviceCgroup kDenyAll{false, {}, {}, {}, "rwm"};
const oci::DeviceCgroup kAllowAll{true, "a", {}, {}, "rwm"};

void expect_both(std::span<const DeviceRule> rules, const Access& access, bool allowed) {
  EXPECT_EQ(run(device_program(rules), access), allowed ? 1 : 0)
      << access.type << ' ' << access.major << ':' << access.minor << ' ' << access.wanted;
  EXPECT_EQ(v1_allows(rules, access), allowed)
      << access.type << ' ' << access.major << ':' << access.minor << ' ' << access.wanted;
}

TEST(DeviceRules, DefaultDevicesWorkUnderDenyAllAndOthersDoNot) {
  for (auto rules : {rules_of({kDenyAll}), rules_of({})}) {
    expect_both(rules, {'c', 1, 3, kRead | kWrite}, true);     // null
    expect_both(rules, {'c', 1, 9, kRead}, true);              // urandom
    expect_both(rules, {'c', 136, 17, kRead | kWrite}, true);  // a pseudoterminal
    expect_both(rules, {'c', 10, 200, kRead | kWrite}, true);  // tun
    expect_both(rules, {'c', 1, 3, kMknod | kRead}, true);
    expect_both(rules, {'b', 8, 0, kMknod}, true);  // a node may be made,
    expect_both(rules, {'b', 8, 0, kRead}, false);  // but not opened
    expect_both(rules, {'c', 1, 11, kRead}, false);
    expect_both(rules, {'b', 1, 3, kRead}, false);
  }
}

TEST(DeviceRules, LaterRulesWin) {
  auto rules = rules_of({kDenyAll, {true, "c", 10, 229, "rw"}, {false, "c", 10, 229, "w"}});
  expect_both(rules, {'c', 10, 229, kRead}, true);
  expect_both(rules, {'c', 10, 229, kWrite}, false);
  expect_both(rules, {'c', 10, 229, kRead | kWrite}, false);
  expect_both(rules_of({{true, "c", 10, 229, "rw"}, kDenyAll}), {'c', 10, 229, kRead}, false);
}

TEST(DeviceRules, KindsOfOneAccessMayBeAllowedByDifferentRules) {
  auto rules = rules_of({kDenyAll, {true, "c", 7, {}, "r"}, {true, "c", 7, 1, "w"}});
  expect_both(rules, {'c', 7, 1, kRead | kWrite}, true);
  expect_both(rules, {'c', 7, 2, kRead | kWrite}, false);
}

TEST(DeviceRules, AnAccessOfADeniesEverythingAndAllowsNothing) {
  auto rules = rules_of({kAllowAll, {false, "c", 1, 11, "ra"}});
  expect_both(rules, {'c', 1, 11, kWrite}, false);
  expect_both(rules, {'c', 1, 11, kRead | kWrite}, false);
  expect_both(rules, {'c', 1, 12, kWrite}, true);
  EXPECT_FALSE(device_rules(std::vector<oci::DeviceCgroup>{{true, "c", 1, 11, "ra"}}));
}

TEST(DeviceRules, TypeAWithNumbersIsNotEverything) {
  auto rules = rules_of({kDenyAll, {true, "a", 8, 0, "r"}});
  expect_both(rules, {'b', 8, 0, kRead}, true);
  expect_both(rules, {'c', 8, 0, kRead}, true);
  expect_both(rules, {'b', 8, 1, kRead}, false);
  expect_both(rules, {'b', 8, 0, kWrite}, false);
}

TEST(DeviceRules, AllowAllWithAnException) {
  auto rules = rules_of({kAllowAll, {false, "b", 8, {}, "w"}});
  expect_both(rules, {'b', 8, 3, kRead}, true);
  expect_both(rules, {'b', 8, 3, kWrite}, false);
  expect_both(rules, {'c', 1, 11, kRead | kWrite | kMknod}, true);
  EXPECT_FALSE(allows_everything(rules));
  EXPECT_TRUE(allows_everything(rules_of({kAllowAll})));
  EXPECT_TRUE(allows_everything(rules_of({kDenyAll, kAllowAll})));
  EXPECT_FALSE(allows_everything(rules_of({kDenyAll})));
  EXPECT_FALSE(allows_everything(rules_of({})));
}

TEST(DeviceRules, V1RefusesAnExceptionWithinAnException) {
  auto rules = rules_of({kDenyAll, {true, "c", 10, {}, "rwm"}, {false, "c", 10, 229, "rw"}});
  auto lines = v1_device_lines(rules);
  ASSERT_FALSE(lines);
  EXPECT_TRUE(lines.error().text.starts_with("linux.resources.devices[2]: ")) << lines.error().text;
  EXPECT_EQ(run(device_program(rules), {'c', 10, 229, kRead}), 0);  // v2 can
  EXPECT_EQ(run(device_program(rules), {'c', 10, 228, kRead}), 1);
}

TEST(DeviceRules, V1ResetsTheListFirst) {
  EXPECT_EQ((*v1_device_lines(rules_of({kDenyAll})))[0], (DeviceLine{false, "a"}));
  EXPECT_EQ(*v1_device_lines(rules_of({kAllowAll})), (std::vector<DeviceLine>{{true, "a"}}));
}

TEST(DeviceRules, ErrorsNameTheField) {
  auto text = [](oci::DeviceCgroup rule) {
    auto rules = device_rules(std::vector{kDenyAll, rule});
    return rules ? std::string("accepted") : rules.error().text;
  };
  EXPECT_TRUE(text({true, "p", 1, 1, "r"}).starts_with("linux.resources.devices[1].type: "));
  EXPECT_TRUE(text({true, "c", 1, 1, "rx"}).starts_with("linux.resources.devices[1].access: "));
  EXPECT_TRUE(text({true, "c", 1, 1, ""}).starts_with("linux.resources.devices[1].access: "));
  EXPECT_TRUE(text({true, "c", -2, 1, "r"}).starts_with("linux.resources.devices[1].major: "));
  EXPECT_TRUE(text({true, "c", 1, int64_t{1} << 32, "r"})
                  .starts_with("linux.resources.devices[1].minor: "));
  EXPECT_FALSE(device_rules(std::vector(kMostDeviceRules + 1, kDenyAll)));
}

TEST(DeviceProgram, LargeNumbersDoNotMatchByAccident) {
  auto rules = rules_of({kDenyAll,
                         {true, "c", 0xfff, 0xfffff, "rw"},
                         {true, "c", 0x1000, 5, "rw"},
                         {true, "c", 0, 0x100000, "rw"},
                         {true, "b", 0x800, 5, "r"}});
  auto program = device_program(rules);
  EXPECT_EQ(run(program, {'c', 0xfff, 0xfffff, kRead}), 1);
  EXPECT_EQ(run(program, {'c', 0xfff, 0xffffe, kRead}), 0);
  EXPECT_EQ(run(program, {'c', 0, 5, kRead}), 0);
  EXPECT_EQ(run(program, {'c', 1, 0, kRead}), 0);
  EXPECT_EQ(run(program, {'b', 0x800, 5, kRead}), 1);
  EXPECT_EQ(run(program, {'b', 0x801, 5, kRead}), 0);
}

TEST(DeviceProgram, AgreesWithTheMeaningForAnyRules) {
  std::mt19937 random(20240229);
  auto one_of = [&](std::initializer_list<int64_t> values) {
    return values.begin()[random() % values.size()];
  };
  for (int round = 0; round < 3000; ++round) {
    std::vector<DeviceRule> rules;
    const size_t count = random() % 12;
    for (size_t i = 0; i < count; ++i) {
      DeviceRule rule;
      rule.allow = random() % 2;
      rule.type = static_cast<char>(one_of({'a', 'b', 'c', 'c'}));
      rule.major = one_of({-1, 1, 2, 0x800});
      rule.minor = one_of({-1, -1, 1, 2});
      rule.access = random() % 2 ? kAllAccess : 1 + random() % 7;
      rules.push_back(rule);
    }
    auto program = device_program(rules);
    auto lines = v1_device_lines(rules);
    KernelList list;
    if (lines) {
      for (const DeviceLine& line : *lines) list.write(line);
    }
    for (char type : {'b', 'c'}) {
      for (uint32_t major : {1u, 2u, 3u, 0x800u}) {
        for (uint32_t minor : {1u, 2u, 3u}) {
          for (unsigned wanted = 1; wanted <= 7; ++wanted) {
            const Access access{type, major, minor, wanted};
            const bool meaning = allowed_by_meaning(rules, access);
            ASSERT_EQ(run(program, access), meaning ? 1 : 0) << "round " << round;
            // v1 never allows more; it may allow less when kinds come from crosswise rules.
            ASSERT_TRUE(meaning || !lines || !list.allows(access)) << "round " << round;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace ocirt::cgroup
