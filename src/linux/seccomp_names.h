// System call names to numbers, per architecture: libseccomp's tables and what they lack.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "oci-spec/seccomp.h"

namespace ocirt {

// One system call table that a filter covers.
struct SyscallTable {
  uint32_t token = 0;       // SCMP_ARCH_*
  uint32_t audit_arch = 0;  // AUDIT_ARCH_*, as in seccomp_data.arch; x32 and x86_64 share one
  uint32_t base = 0;        // number of its first call: 0; 4000, 5000, 6000 on MIPS; bit 30 for x32
  bool narrow = false;      // arguments have 32 bits

  // ARM's private calls (0x0f0001...) lie above every other number and are as old as the port. From
  // here on a number says nothing about age. 0: there are none.
  uint32_t private_from = 0;

  // s390 shows a filter 0 instead of a number above 255 that the kernel does not know.
  bool zero_is_unknown = false;

  // The calls that multiplex others, where the table has them: i386, s390, ppc, ...
  std::optional<uint32_t> socketcall;
  std::optional<uint32_t> ipc;

  // Where one of these is: the multiplexed calls that (since Linux 4.3 or 5.1) have a number of
  // their own as well. libseccomp does not give them by name.
  std::vector<std::pair<std::string_view, uint32_t>> own_numbers;
};

// The table of an architecture; nothing if the linked libseccomp has none.
std::optional<SyscallTable> syscall_table(oci::SeccompArch arch);

// The table of this machine.
SyscallTable native_syscall_table();

// The number of a call in a table, with the base; nothing if the table has no such call. Knows
// libseccomp's names, and those of newer kernels, whose numbers are the same everywhere since
// Linux 5.1 ("cachestat" is 451 on every architecture).
std::optional<uint32_t> syscall_number(const SyscallTable& table, const std::string& name);

// A call that some tables only have, or have also, behind socketcall(2) or ipc(2).
struct MultiplexedCall {
  bool socket = false;    // behind socketcall, else behind ipc
  uint32_t selector = 0;  // its first argument: SYS_SOCKET is 1
};
std::optional<MultiplexedCall> multiplexed_call(std::string_view name);

// Whether any architecture has a call of this name.
bool syscall_known(const std::string& name);

}  // namespace ocirt
