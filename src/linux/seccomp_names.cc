#include "src/linux/seccomp_names.h"

#include <linux/audit.h>
#include <seccomp.h>
#include <stdlib.h>

#include <algorithm>
#include <array>

#include "src/base/names.h"

namespace ocirt {
namespace {

// From the kernel's scripts/syscall.tbl, where these numbers are common to all architectures.
constexpr Name<uint32_t> kNewSyscalls[] = {
    {"cachestat", 451},
    {"fchmodat2", 452},
    {"file_getattr", 468},
    {"file_setattr", 469},
    {"futex_requeue", 456},
    {"futex_wait", 455},
    {"futex_wake", 454},
    {"getxattrat", 464},
    {"listmount", 458},
    {"listns", 470},
    {"listxattrat", 465},
    {"lsm_get_self_attr", 459},
    {"lsm_list_modules", 461},
    {"lsm_set_self_attr", 460},
    {"map_shadow_stack", 453},
    {"mseal", 462},
    {"open_tree_attr", 467},
    {"removexattrat", 466},
    {"set_mempolicy_home_node", 450},
    {"setxattrat", 463},
    {"statmount", 457},
};
static_assert(sorted(kNewSyscalls));

// <linux/net.h> SYS_* and <linux/ipc.h>.
constexpr Name<MultiplexedCall> kMultiplexed[] = {
    {"accept", {true, 5}},      {"accept4", {true, 18}},    {"bind", {true, 2}},
    {"connect", {true, 3}},     {"getpeername", {true, 7}}, {"getsockname", {true, 6}},
    {"getsockopt", {true, 15}}, {"listen", {true, 4}},      {"msgctl", {false, 14}},
    {"msgget", {false, 13}},    {"msgrcv", {false, 12}},    {"msgsnd", {false, 11}},
    {"recv", {true, 10}},       {"recvfrom", {true, 12}},   {"recvmmsg", {true, 19}},
    {"recvmsg", {true, 17}},    {"semctl", {false, 3}},     {"semget", {false, 2}},
    {"semop", {false, 1}},      {"semtimedop", {false, 4}}, {"send", {true, 9}},
    {"sendmmsg", {true, 20}},   {"sendmsg", {true, 16}},    {"sendto", {true, 11}},
    {"setsockopt", {true, 14}}, {"shmat", {false, 21}},     {"shmctl", {false, 24}},
    {"shmdt", {false, 22}},     {"shmget", {false, 23}},    {"shutdown", {true, 13}},
    {"socket", {true, 1}},      {"socketpair", {true, 8}},
};
static_assert(sorted(kMultiplexed));

std::optional<uint32_t> library_number(uint32_t token, const char* name) {
  // Negative: no such call at all, or libseccomp's own number for a call of other architectures.
  int number = ::seccomp_syscall_resolve_name_arch(token, name);
  if (number < 0) return std::nullopt;
  return static_cast<uint32_t>(number);
}

// Asks libseccomp the other way round, which has the real names. From 160 on lie MIPS's numbers,
// from 326 on those of the others; the last ones, of System V IPC, end at 402 everywhere.
void find_own_numbers(SyscallTable& table) {
  for (uint32_t number = table.base + 160; number <= table.base + 402; ++number) {
    char* name = ::seccomp_syscall_resolve_num_arch(table.token, static_cast<int>(number));
    if (name == nullptr) continue;
    for (const auto& row : kMultiplexed) {
      if (row.name.text() == name) table.own_numbers.emplace_back(row.name, number);
    }
    ::free(name);
  }
}

SyscallTable table_of(uint32_t token) {
  SyscallTable table;
  table.token = token;
  // libseccomp's tokens are the kernel's AUDIT_ARCH_* but for x32, which the kernel has none for.
  table.audit_arch = token;
  table.narrow = (token & __AUDIT_ARCH_64BIT) == 0;
  switch (token) {
    case SCMP_ARCH_X32:
      table.audit_arch = AUDIT_ARCH_X86_64;
      table.base = 0x40000000;
      break;
    case SCMP_ARCH_ARM:
      table.private_from = 0x0f0000;
      break;
    case SCMP_ARCH_MIPS:
    case SCMP_ARCH_MIPSEL:
      table.base = 4000;
      break;
    case SCMP_ARCH_MIPS64:
    case SCMP_ARCH_MIPSEL64:
      table.base = 5000;
      break;
    case SCMP_ARCH_MIPS64N32:
    case SCMP_ARCH_MIPSEL64N32:
      table.base = 6000;
      table.narrow = true;  // AUDIT_ARCH_MIPS64N32 has the bit of 64-bit architectures
      break;
    case SCMP_ARCH_S390:
    case SCMP_ARCH_S390X:
      table.zero_is_unknown = true;
      break;
    default:
      break;
  }
  table.socketcall = library_number(token, "socketcall");
  table.ipc = library_number(token, "ipc");
  if (table.socketcall || table.ipc) find_own_numbers(table);
  return table;
}

}  // namespace

std::optional<SyscallTable> syscall_table(oci::SeccompArch arch) {
  // libseccomp's name is that of the specification without its prefix and in lower case.
  constexpr std::string_view kPrefix = "SCMP_ARCH_";
  std::array<char, 24> name{};
  std::string_view word = oci::to_string(arch).substr(kPrefix.size());
  if (word.size() >= name.size()) return std::nullopt;
  std::transform(word.begin(), word.end(), name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  uint32_t token = ::seccomp_arch_resolve_name(name.data());
  if (token == 0) return std::nullopt;
  return table_of(token);
}

SyscallTable native_syscall_table() { return table_of(::seccomp_arch_native()); }

std::optional<uint32_t> syscall_number(const SyscallTable& table, const std::string& name) {
  if (auto number = library_number(table.token, name.c_str())) {
    return table.base == 0x40000000 ? *number | table.base : *number;
  }
  for (const auto& [own, number] : table.own_numbers) {
    if (own == name) return number;
  }
  if (auto number = find(kNewSyscalls, name)) return table.base + *number;
  return std::nullopt;
}

std::optional<MultiplexedCall> multiplexed_call(std::string_view name) {
  return find(kMultiplexed, name);
}

bool syscall_known(const std::string& name) {
  return find(kNewSyscalls, name) ||
         ::seccomp_syscall_resolve_name(name.c_str()) != __NR_SCMP_ERROR;
}

}  // namespace ocirt
