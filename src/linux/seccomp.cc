// The profile becomes ranges of system call numbers, per architecture; seccomp_bpf.cc makes them
// instructions. What libseccomp-based runtimes do with a profile is kept, since profiles are
// written against it:
// - a rule whose action is the default action is left out;
// - a rule without args for a system call makes all rules with args for it pointless;
// - two conditions on one argument in one rule make it two rules, of which either one is enough;
// - a name that no architecture has is ignored.
//
// New is the answer to system calls that are newer than the profile. A program that tries a new
// call first and the old one after ENOSYS (glibc does so with clone3, faccessat2, ...) breaks if a
// filter that was written before that call existed answers EPERM. So with EPERM as the default
// every number above the largest one that the profile names answers ENOSYS. A profile that asks for
// another answer gets that.
#include "src/linux/seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include <algorithm>
#include <array>
#include <optional>

#include "src/base/text.h"
#include "src/linux/seccomp_bpf.h"
#include "src/linux/seccomp_names.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV  // Linux 5.19
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

namespace ocirt {
namespace {

// Largest number that a filter can answer with: the kernel cuts an errno to MAX_ERRNO.
constexpr uint32_t kMostErrno = 4095;
constexpr uint32_t kMostTraceData = SECCOMP_RET_DATA;

constexpr uint32_t kUnknownCall = SECCOMP_RET_ERRNO | ENOSYS;

// Calls of an architecture that the profile does not list: nobody meant to allow them.
constexpr uint32_t kOtherArch = SECCOMP_RET_KILL_THREAD;

// Numbers of the x32 table lie in x86_64's space, from bit 30 on. -1 is no call of either: a tracer
// sets it to skip one.
constexpr uint32_t kX32Base = 0x40000000;
constexpr uint32_t kNoCall = 0xffffffff;

// SECCOMP_RET_* with its data. `where` is the property that holds the errno.
Result<uint32_t> action_number(oci::SeccompAction action, std::optional<uint32_t> errno_ret,
                               std::string_view where) {
  using enum oci::SeccompAction;
  bool has_data = action == kErrno || action == kTrace;
  if (errno_ret && !has_data) {
    return refuse(cat(where, ": ", oci::to_string(action),
                      " has no errno, only SCMP_ACT_ERRNO and ",
                      "SCMP_ACT_TRACE have one: remove the property"));
  }
  uint32_t data = errno_ret.value_or(EPERM);
  uint32_t most = action == kErrno ? kMostErrno : kMostTraceData;
  if (has_data && data > most)
    return refuse(cat(where, ": ", data, " is out of range, 0 to ", most));
  switch (action) {
    case kAllow:
      return uint32_t{SECCOMP_RET_ALLOW};
    case kErrno:
      return uint32_t{SECCOMP_RET_ERRNO | data};
    case kKill:
    case kKillThread:
      return uint32_t{SECCOMP_RET_KILL_THREAD};
    case kKillProcess:
      return uint32_t{SECCOMP_RET_KILL_PROCESS};
    case kLog:
      return uint32_t{SECCOMP_RET_LOG};
    case kNotify:
      return uint32_t{SECCOMP_RET_USER_NOTIF};
    case kTrace:
      return uint32_t{SECCOMP_RET_TRACE | data};
    case kTrap:
      return uint32_t{SECCOMP_RET_TRAP};
  }
  return refuse(cat(where, ": unknown action"));
}

// One entry of `syscalls` as alternatives: each a list of conditions that all have to hold.
struct Rule {
  uint32_t action = 0;
  bool unconditional = true;
  std::vector<std::vector<BpfCondition>> alternatives;
};

Result<Rule> read_rule(const oci::Syscall& entry) {
  Rule rule;
  rule.action = TRY(action_number(entry.action, entry.errno_ret, "errnoRet"));
  std::vector<BpfCondition> conditions;
  std::array<unsigned, 6> uses{};
  for (size_t i = 0; i < entry.args.size(); ++i) {
    const oci::SyscallArg& arg = entry.args[i];
    if (arg.index >= uses.size()) {
      return refuse(cat("args[", i, "].index: ", arg.index,
                        " is out of range, a system call has arguments 0 to 5"));
    }
    ++uses[arg.index];
    BpfCondition condition{arg.index, arg.op, arg.value, 0};
    if (arg.op == oci::SeccompOperator::kMaskedEq) {
      condition.mask = arg.value;
      condition.value = arg.value_two.value_or(0);
    }
    conditions.push_back(condition);
  }
  rule.unconditional = conditions.empty();
  if (std::any_of(uses.begin(), uses.end(), [](unsigned n) { return n > 1; })) {
    for (const BpfCondition& condition : conditions) rule.alternatives.push_back({condition});
  } else if (!conditions.empty()) {
    rule.alternatives.push_back(std::move(conditions));
  }
  return rule;
}

// A rule for one number of one table.
struct Entry {
  uint32_t number = 0;
  const Rule* rule = nullptr;
  std::optional<uint32_t> selector;  // only if the first argument is this, behind socketcall or ipc
};

// Appends a range. One that begins where the last one does replaces it; one that only continues the
// last one changes nothing.
void add_range(std::vector<BpfRange>& ranges, BpfRange range) {
  if (!ranges.empty() && ranges.back().first == range.first) ranges.pop_back();
  if (!ranges.empty()) {
    const BpfRange& last = ranges.back();
    if (last.rules.empty() && range.rules.empty() && last.action == range.action) return;
  }
  ranges.push_back(std::move(range));
}

// Makes one filter; its members are the state between the steps.
class Compiler {
 public:
  explicit Compiler(const oci::Seccomp& profile) : profile_(profile) {}

  Result<SeccompFilter> compile() {
    default_action_ = TRY(action_number(profile_.default_action, profile_.default_errno_ret,
                                        "linux.seccomp.defaultErrnoRet"));
    TRY(read_architectures());
    rules_.reserve(profile_.syscalls.size());
    for (size_t i = 0; i < profile_.syscalls.size(); ++i) {
      const oci::Syscall& entry = profile_.syscalls[i];
      auto rule = read_rule(entry);
      if (!rule) {
        rule.error().text.insert(0, cat("linux.seccomp.syscalls[", i, "]."));
        return std::unexpected(std::move(rule).error());
      }
      rules_.push_back(std::move(*rule));
      out_.notify |= entry.action == oci::SeccompAction::kNotify;
    }
    out_.notify |= profile_.default_action == oci::SeccompAction::kNotify;
    note_unknown_names();
    out_.program = bpf_program(architectures(), kOtherArch);
    if (out_.program.size() > BPF_MAXINSNS) {
      return refuse(cat("linux.seccomp: the filter has ", out_.program.size(),
                        " instructions and the kernel takes ", BPF_MAXINSNS,
                        ": use fewer architectures or conditions"));
    }
    set_flags();
    return std::move(out_);
  }

 private:
  Result<> read_architectures() {
    tables_.push_back(native_syscall_table());
    for (size_t i = 0; i < profile_.architectures.size(); ++i) {
      oci::SeccompArch arch = profile_.architectures[i];
      auto table = syscall_table(arch);
      if (!table) {
        return refuse(cat("linux.seccomp.architectures[", i, "]: not supported: libseccomp ",
                          libseccomp_version(), " does not know ", oci::to_string(arch)));
      }
      auto same = [&table](const SyscallTable& known) { return known.token == table->token; };
      if (std::none_of(tables_.begin(), tables_.end(), same)) tables_.push_back(*table);
    }
    return {};
  }

  void note_unknown_names() {
    for (const oci::Syscall& entry : profile_.syscalls) {
      for (const std::string& name : entry.names) {
        if (syscall_known(name)) continue;
        out_.unknown_names.push_back(name);
        out_.warnings.push_back(cat("seccomp: ignored a rule for ", quoted(name),
                                    ", which is no system call that libseccomp ",
                                    libseccomp_version(), " knows"));
      }
    }
  }

  // The ranges of every table, those that share an AUDIT_ARCH_* put together.
  std::vector<BpfArch> architectures() const {
    std::vector<BpfArch> archs;
    for (const SyscallTable& table : tables_) {
      if (table.base == kX32Base) continue;
      BpfArch arch{table.audit_arch, {}};
      add_table(arch.ranges, table);
      if (table.audit_arch == AUDIT_ARCH_X86_64) add_x32(arch.ranges);
      archs.push_back(std::move(arch));
    }
    // x32 without x86_64 is what a profile means that allows nothing else; the native table is
    // always there, so this can only be a foreign machine's.
    bool has_x86_64 = std::any_of(archs.begin(), archs.end(), [](const BpfArch& a) {
      return a.audit_arch == AUDIT_ARCH_X86_64;
    });
    if (!has_x86_64 && x32_table() != nullptr) {
      BpfArch arch{AUDIT_ARCH_X86_64, {}};
      add_range(arch.ranges, {0, kOtherArch, false, {}});
      add_x32(arch.ranges);
      archs.push_back(std::move(arch));
    }
    return archs;
  }

  const SyscallTable* x32_table() const {
    for (const SyscallTable& table : tables_) {
      if (table.base == kX32Base) return &table;
    }
    return nullptr;
  }

  void add_x32(std::vector<BpfRange>& ranges) const {
    uint32_t no_call = ranges.back().action;
    if (const SyscallTable* x32 = x32_table()) {
      add_table(ranges, *x32);
    } else {
      add_range(ranges, {kX32Base, kOtherArch, false, {}});
    }
    add_range(ranges, {kNoCall, no_call, false, {}});
  }

  // The ranges of one table, from its base (0 but for x32) to the end of the number space.
  void add_table(std::vector<BpfRange>& ranges, const SyscallTable& table) const {
    std::optional<uint32_t> newest;
    std::vector<Entry> entries = entries_of(table, newest);

    uint32_t from = table.base == kX32Base ? kX32Base : 0;
    add_range(ranges, {from, default_action_, false, {}});
    if (newest && table.zero_is_unknown) {
      add_range(ranges, {0, kUnknownCall, false, {}});
      add_range(ranges, {1, default_action_, false, {}});
    }
    bool aged = !newest;  // the range of unknown calls is in, or there is none
    for (size_t i = 0; i < entries.size();) {
      uint32_t number = entries[i].number;
      if (!aged && number > *newest) {
        add_unknown(ranges, table, *newest);
        aged = true;
      }
      size_t end = i;
      while (end < entries.size() && entries[end].number == number) ++end;
      BpfRange range = range_of(std::span(entries).subspan(i, end - i), table.narrow);
      add_range(ranges, std::move(range));
      add_range(ranges, {number + 1, default_action_, false, {}});
      i = end;
    }
    if (!aged) add_unknown(ranges, table, *newest);
  }

  void add_unknown(std::vector<BpfRange>& ranges, const SyscallTable& table,
                   uint32_t newest) const {
    add_range(ranges, {newest + 1, kUnknownCall, false, {}});
    if (table.private_from != 0)
      add_range(ranges, {table.private_from, default_action_, false, {}});
  }

  // Every rule of the profile that concerns this table, by number and then in the profile's order;
  // `newest` becomes the largest number that answers EPERM to its successors, if that is wanted.
  std::vector<Entry> entries_of(const SyscallTable& table, std::optional<uint32_t>& newest) const {
    bool wants_newest = default_action_ == (SECCOMP_RET_ERRNO | EPERM);
    std::vector<Entry> entries;
    for (size_t i = 0; i < rules_.size(); ++i) {
      const Rule& rule = rules_[i];
      bool matters = rule.action != default_action_;
      for (const std::string& name : profile_.syscalls[i].names) {
        if (auto number = syscall_number(table, name)) {
          if (matters) entries.push_back({*number, &rule, {}});
          bool has_age = table.private_from == 0 || *number < table.private_from;
          if (wants_newest && has_age) newest = std::max(newest.value_or(0), *number);
        }
        // With args nothing can be said: they lie in memory, where no filter looks.
        if (!matters || !rule.unconditional || (!table.socketcall && !table.ipc)) continue;
        auto call = multiplexed_call(name);
        if (!call) continue;
        auto through = call->socket ? table.socketcall : table.ipc;
        if (through) entries.push_back({*through, &rule, call->selector});
      }
    }
    // The rules stand in one vector in the profile's order.
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
      return a.number != b.number ? a.number < b.number : a.rule < b.rule;
    });
    return entries;
  }

  BpfRange range_of(std::span<const Entry> entries, bool narrow) const {
    BpfRange range{entries[0].number, default_action_, narrow, {}};
    for (const Entry& entry : entries) {
      if (!entry.rule->unconditional || entry.selector) continue;
      range.action = entry.rule->action;
      return range;
    }
    for (const Entry& entry : entries) {
      if (entry.selector) {
        range.rules.push_back(
            {entry.rule->action, {{0, oci::SeccompOperator::kEq, *entry.selector, 0}}});
        continue;
      }
      for (const auto& conditions : entry.rule->alternatives) {
        range.rules.push_back({entry.rule->action, conditions});
      }
    }
    return range;
  }

  void set_flags() {
    bool killable = false;
    if (profile_.flags.empty()) {
      // The mitigation that kernels before 5.16 couple to seccomp costs a container more than it
      // protects; a profile without flags has always got this one.
      out_.flags |= SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    }
    for (oci::SeccompFlag flag : profile_.flags) {
      switch (flag) {
        using enum oci::SeccompFlag;
        case kTsync:  // the process that loads the filter has one thread
          break;
        case kLog:
          out_.flags |= SECCOMP_FILTER_FLAG_LOG;
          break;
        case kSpecAllow:
          out_.flags |= SECCOMP_FILTER_FLAG_SPEC_ALLOW;
          break;
        case kWaitKillableRecv:
          killable = true;
          break;
      }
    }
    if (out_.notify) {
      out_.flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
      if (killable) out_.flags |= SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    } else if (killable) {
      // The kernel refuses it without a listener, whose waiting it is about.
      out_.warnings.push_back(
          "seccomp: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV has no effect without SCMP_ACT_NOTIFY");
    }
  }

  const oci::Seccomp& profile_;
  uint32_t default_action_ = 0;
  std::vector<SyscallTable> tables_;  // the native one first
  std::vector<Rule> rules_;           // one for each entry of the profile
  SeccompFilter out_;
};

}  // namespace

Result<SeccompFilter> compile_seccomp(const oci::Seccomp& profile) {
  return Compiler(profile).compile();
}

std::span<const std::string_view> known_seccomp_actions() { return oci::kSeccompActionNames; }

std::span<const std::string_view> known_seccomp_operators() { return oci::kSeccompOperatorNames; }

std::vector<std::string_view> known_seccomp_architectures() {
  std::vector<std::string_view> names;
  for (size_t i = 0; i < std::size(oci::kSeccompArchNames); ++i) {
    if (syscall_table(static_cast<oci::SeccompArch>(i))) {
      names.push_back(oci::kSeccompArchNames[i]);
    }
  }
  return names;
}

std::span<const std::string_view> known_seccomp_flags() { return oci::kSeccompFlagNames; }

std::string libseccomp_version() {
  const scmp_version* version = ::seccomp_version();
  return cat(version->major, '.', version->minor, '.', version->micro);
}

}  // namespace ocirt
