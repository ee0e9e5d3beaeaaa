// Where the kernel enters init, and the few functions that the compiler calls by itself in a
// program without a libc.
#include <elf.h>

#include <cstddef>
#include <cstdint>

#include "src/bare/syscall.h"

namespace ocirt::init {
[[noreturn]] void main(long argc, char** argv);
}

extern "C" {

// Position-independent and linked to itself only: the relocations are all "base plus addend".
[[gnu::visibility("hidden")]] extern const Elf64_Dyn _DYNAMIC[];
[[gnu::visibility("hidden")]] extern const char __ehdr_start[];

[[gnu::used, noreturn]] void ocirt_init_entry(long* stack) {
  const char* base = __ehdr_start;
  const Elf64_Dyn* entry = _DYNAMIC;
  // To write into what these are declared as would be undefined, and clang leaves the loop out.
  asm volatile("" : "+r"(base), "+r"(entry) : : "memory");
  const char* rela = base;
  size_t size = 0;
  for (; entry->d_tag != DT_NULL; ++entry) {
    if (entry->d_tag == DT_RELA) rela = base + entry->d_un.d_ptr;
    if (entry->d_tag == DT_RELASZ) size = entry->d_un.d_val;
  }
  for (size_t at = 0; at < size; at += sizeof(Elf64_Rela)) {
    const auto* relocation = reinterpret_cast<const Elf64_Rela*>(rela + at);
    auto* place = reinterpret_cast<const char**>(const_cast<char*>(base + relocation->r_offset));
    *place = base + relocation->r_addend;
  }
  asm volatile("" : : : "memory");
  ocirt::init::main(stack[0], reinterpret_cast<char**>(stack + 1));
}

#if defined(__x86_64__)
asm(".globl _start\n"
    "_start:\n"
    "  xor %ebp, %ebp\n"
    "  mov %rsp, %rdi\n"
    "  and $-16, %rsp\n"
    "  call ocirt_init_entry\n"
    "  hlt\n");
#elif defined(__aarch64__)
asm(".globl _start\n"
    "_start:\n"
    "  mov x29, #0\n"
    "  mov x30, #0\n"
    "  mov x0, sp\n"
    "  bl ocirt_init_entry\n"
    "  brk #0\n");
#endif

// The loops must not be turned into calls of themselves: the Makefile sees to that
// (-fno-tree-loop-distribute-patterns, -ffreestanding).

[[gnu::used]] void* memcpy(void* to, const void* from, size_t size) {
  for (size_t i = 0; i < size; ++i) static_cast<char*>(to)[i] = static_cast<const char*>(from)[i];
  return to;
}

[[gnu::used]] void* memmove(void* to, const void* from, size_t size) {
  auto* t = static_cast<char*>(to);
  const auto* f = static_cast<const char*>(from);
  if (t < f) return memcpy(to, from, size);
  while (size-- > 0) t[size] = f[size];
  return to;
}

[[gnu::used]] void* memset(void* to, int value, size_t size) {
  for (size_t i = 0; i < size; ++i) static_cast<char*>(to)[i] = static_cast<char>(value);
  return to;
}

[[gnu::used]] int memcmp(const void* a, const void* b, size_t size) {
  const auto* x = static_cast<const unsigned char*>(a);
  const auto* y = static_cast<const unsigned char*>(b);
  for (size_t i = 0; i < size; ++i) {
    if (x[i] != y[i]) return x[i] < y[i] ? -1 : 1;
  }
  return 0;
}

[[gnu::used]] size_t strlen(const char* text) {
  size_t size = 0;
  while (text[size] != '\0') ++size;
  return size;
}

[[gnu::used]] void* memchr(const void* text, int c, size_t size) {
  const auto* t = static_cast<const unsigned char*>(text);
  for (size_t i = 0; i < size; ++i) {
    if (t[i] == static_cast<unsigned char>(c)) return const_cast<unsigned char*>(t + i);
  }
  return nullptr;
}
}  // extern "C"

// A failed assertion of the library headers (an index out of range) ends init; ocirt reports it.
namespace std {
[[noreturn, gnu::used]] void __glibcxx_assert_fail(const char*, int, const char*,
                                                   const char*) noexcept {
  ocirt::bare::exit_now(125);
}
[[noreturn, gnu::used]] void __throw_out_of_range_fmt(const char*, ...) {
  ocirt::bare::exit_now(125);
}
}  // namespace std
