// For tests of filters: profiles in a line, and what a program answers to a call, interpreted, for
// architectures that this machine cannot run.
#pragma once

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "src/linux/seccomp.h"

namespace ocirt {

inline oci::Syscall rule(std::vector<std::string> names, oci::SeccompAction action,
                         std::vector<oci::SyscallArg> args = {}) {
  oci::Syscall out;
  out.names = std::move(names);
  out.action = action;
  out.args = std::move(args);
  return out;
}

inline oci::Seccomp profile(oci::SeccompAction default_action,
                            std::vector<oci::Syscall> rules = {}) {
  oci::Seccomp out;
  out.default_action = default_action;
  out.syscalls = std::move(rules);
  return out;
}

inline SeccompFilter compiled(const oci::Seccomp& p) {
  auto filter = compile_seccomp(p);
  EXPECT_TRUE(filter) << filter.error().text;
  return filter ? *filter : SeccompFilter{};
}

// What the kernel would do, for any architecture.
inline uint32_t interpret(std::span<const BpfInstruction> program, const seccomp_data& data) {
  uint32_t a = 0;
  uint32_t x = 0;
  uint32_t memory[BPF_MEMWORDS] = {};
  for (size_t at = 0; at < program.size(); ++at) {
    const BpfInstruction& i = program[at];
    bool taken = false;
    switch (i.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        memcpy(&a, reinterpret_cast<const char*>(&data) + i.k, sizeof a);
        continue;
      case BPF_LD | BPF_MEM:
        a = memory[i.k];
        continue;
      case BPF_ST:
        memory[i.k] = a;
        continue;
      case BPF_MISC | BPF_TAX:
        x = a;
        continue;
      case BPF_ALU | BPF_AND | BPF_K:
        a &= i.k;
        continue;
      case BPF_RET | BPF_K:
        return i.k;
      case BPF_JMP | BPF_JA:
        at += i.k;
        continue;
      case BPF_JMP | BPF_JEQ | BPF_K:
        taken = a == i.k;
        break;
      case BPF_JMP | BPF_JGT | BPF_K:
        taken = a > i.k;
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        taken = a >= i.k;
        break;
      default:
        ADD_FAILURE() << "unexpected instruction " << i.code << " x " << x;
        return 0;
    }
    at += taken ? i.jump_true : i.jump_false;
  }
  ADD_FAILURE() << "ran off the end";
  return 0;
}

}  // namespace ocirt
