// Where the kernel enters init, and the few functions that the compiler calls by itself in a
// program without a libc.
#include "src/bare/entry.h"

#include <cstddef>
#include <cstdint>

#include "src/bare/syscall.h"

namespace ocirt::init {
[[noreturn]] void main(const char* name);
}

extern "C" {

[[gnu::used, noreturn]] void ocirt_init_entry(long* stack) {
  const ocirt::bare::Self self;
  const char* rela = self.base;
  size_t size = 0;
  for (const Elf64_Dyn* entry = self.dynamic; entry->d_tag != DT_NULL; ++entry) {
    if (entry->d_tag == DT_RELA) rela = self.base + entry->d_un.d_ptr;
    if (entry->d_tag == DT_RELASZ) size = entry->d_un.d_val;
  }
  ocirt::bare::apply_rela(self.base, rela, size);
  asm volatile("" : : : "memory");
  // Nobody of ours leaves out even the name. The kernel says addresses as numbers.
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  ocirt::init::main(stack[0] == 0 ? "" : reinterpret_cast<const char*>(stack[1]));
}

OCIRT_ENTER_AT(ocirt_init_entry);

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
