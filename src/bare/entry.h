// Where the kernel enters a program that relocates itself: ocirt-init (src/init/entry.cc), and the
// static programs that are linked with musl (src/musl/start.cc). Who they are where, too: Self.
#pragma once

#include <elf.h>

#include <cstddef>

extern "C" {
// NOLINTBEGIN(readability-identifier-naming,bugprone-reserved-identifier): the linker's names
[[gnu::visibility("hidden")]] extern const Elf64_Dyn _DYNAMIC[];
[[gnu::visibility("hidden")]] extern const char __ehdr_start[];
// NOLINTEND(readability-identifier-naming,bugprone-reserved-identifier)
}

namespace ocirt::bare {

// What a program knows of itself before anything else may be used. To write into what the two are
// declared as would be undefined, and clang leaves the loops out: so it is not told whose they are.
struct Self {
  const char* base = __ehdr_start;
  const Elf64_Dyn* dynamic = _DYNAMIC;
  [[gnu::always_inline]] Self() { asm volatile("" : "+r"(base), "+r"(dynamic) : : "memory"); }
};

// The table of DT_RELA, `size` bytes. Position-independent and linked to itself only, such a
// program has entries of one kind: "base plus addend".
inline void apply_rela(const char* base, const char* table, size_t size) {
  for (size_t at = 0; at < size; at += sizeof(Elf64_Rela)) {
    const auto* relocation = reinterpret_cast<const Elf64_Rela*>(table + at);
    auto* place = reinterpret_cast<const char**>(const_cast<char*>(base + relocation->r_offset));
    *place = base + relocation->r_addend;
  }
}

}  // namespace ocirt::bare

// _start, which calls `function`, of C, with the stack as the kernel left it: count and addresses
// of the arguments, of the environment, and the auxiliary vector. It must not return.
#if defined(__x86_64__)
#define OCIRT_ENTER_AT(function) \
  asm(".globl _start\n"          \
      "_start:\n"                \
      "  xor %ebp, %ebp\n"       \
      "  mov %rsp, %rdi\n"       \
      "  and $-16, %rsp\n"       \
      "  call " #function        \
      "\n"                       \
      "  hlt\n")
#elif defined(__aarch64__)
#define OCIRT_ENTER_AT(function) \
  asm(".globl _start\n"          \
      "_start:\n"                \
      "  mov x29, #0\n"          \
      "  mov x30, #0\n"          \
      "  mov x0, sp\n"           \
      "  bl " #function          \
      "\n"                       \
      "  brk #0\n")
#endif
