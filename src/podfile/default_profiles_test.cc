#include "src/podfile/default_profiles.h"

#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cerrno>

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
#endif

}  // namespace
}  // namespace ocirt::podfile
