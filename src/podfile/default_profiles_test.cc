#include "src/podfile/default_profiles.h"

#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "src/linux/seccomp.h"
#include "src/linux/seccomp_interpreter.h"

namespace ocirt::podfile {
namespace {

constexpr uint32_t kEperm = SECCOMP_RET_ERRNO | EPERM;

#if defined(__x86_64__)
uint32_t verdict(uint32_t arch, uint32_t number, uint64_t first) {
  static const SeccompFilter filter = *compile_seccomp(default_seccomp({}));
  seccomp_data data{};
  data.arch = arch;
  data.nr = static_cast<int>(number);
  data.args[0] = first;
  return interpret(filter.program, data);
}

TEST(DefaultSeccomp, SocketsAreOfEveryFamilyButTheTwoThatReachOutOfThePod) {
  for (uint64_t family = 0; family < AF_MAX; ++family) {
    const bool denied = family == AF_ALG || family == AF_VSOCK;
    EXPECT_EQ(verdict(AUDIT_ARCH_X86_64, SYS_socket, family), denied ? kEperm : SECCOMP_RET_ALLOW)
        << family;
    EXPECT_EQ(verdict(AUDIT_ARCH_I386, 359, family), denied ? kEperm : SECCOMP_RET_ALLOW) << family;
  }
}

TEST(DefaultSeccomp, ABitThatTheKernelDoesNotLookAtOpensNoSocketOfADeniedFamily) {
  for (int bit = 32; bit < 64; ++bit) {
    for (uint64_t family : {AF_ALG, AF_VSOCK}) {
      EXPECT_EQ(verdict(AUDIT_ARCH_X86_64, SYS_socket, family | uint64_t{1} << bit), kEperm) << bit;
    }
  }
}

// socketcall(SYS_SOCKET): which family it is cannot be seen.
TEST(DefaultSeccomp, AnI386ProgramConnectsByEitherCallAndMakesSocketsByOne) {
  EXPECT_EQ(verdict(AUDIT_ARCH_I386, 102, 1), kEperm);
  EXPECT_EQ(verdict(AUDIT_ARCH_I386, 102, 3), SECCOMP_RET_ALLOW);
  EXPECT_EQ(verdict(AUDIT_ARCH_I386, 362, 0), SECCOMP_RET_ALLOW);
}

// As a 32-bit program asks; its pointers have 32 bits.
long i386_call(long number, long first, long second, long third) {
  long result = 0;
  asm volatile("int $0x80"
               : "=a"(result)
               : "a"(number), "b"(first), "c"(second), "d"(third)
               : "memory", "r8", "r9", "r10", "r11");
  return result;
}

// What the kernel does with it, in a process that has the filter: bit n is set when call n is
// right.
int try_i386_calls(SeccompFilter filter) {
  void* low =
      ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  if (low == MAP_FAILED) return 0;
  const uint32_t arguments[] = {AF_UNIX, SOCK_DGRAM, 0};
  std::memcpy(low, arguments, sizeof arguments);
  const auto at = static_cast<long>(reinterpret_cast<uintptr_t>(low));
  const bool unfiltered = i386_call(102, 1, at, 0) >= 0;
  const sock_fprog program{static_cast<unsigned short>(filter.program.size()),
                           reinterpret_cast<sock_filter*>(filter.program.data())};
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) return 0;
  return (unfiltered ? 1 : 0) | (i386_call(102, 1, at, 0) == -EPERM ? 2 : 0) |
         (i386_call(359, AF_ALG, SOCK_SEQPACKET, 0) == -EPERM ? 4 : 0) |
         (i386_call(359, AF_UNIX, SOCK_DGRAM, 0) >= 0 ? 8 : 0);
}

TEST(DefaultSeccomp, AnI386ProgramIsRefusedByTheKernelAsTheFilterSays) {
  const SeccompFilter filter = *compile_seccomp(default_seccomp({}));
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(try_i386_calls(filter));
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  if (WIFSIGNALED(status) || (WEXITSTATUS(status) & 1) == 0)
    GTEST_SKIP() << "this kernel runs no 32-bit programs";
  EXPECT_EQ(WEXITSTATUS(status), 15);
}
#endif

}  // namespace
}  // namespace ocirt::podfile
