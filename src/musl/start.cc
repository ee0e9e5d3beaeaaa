// Where the kernel enters the static programs that are linked with musl; in place of its rcrt1.o.
//
// musl 1.2.3 relocates such a program by entries of 24 bytes. Nearly all of ours say "here stands
// an address of the program itself", for which the linker has a bit map (DT_RELR, -z
// pack-relative-relocs): 1 KB in place of 60. And nobody would make read-only what needs to be
// written only until then (PT_GNU_RELRO): in a dynamic program the loader does.
//
// Compiled like ocirt-init, without stack protector: thread-local storage is not there yet.
#include <elf.h>
#include <sys/mman.h>

#include <cstddef>
#include <cstdint>

#include "src/bare/entry.h"
#include "src/bare/syscall.h"

extern "C" {

int main(int argc, char** argv);  // -ffreestanding takes its special place away

// NOLINTBEGIN(readability-identifier-naming,bugprone-reserved-identifier): musl's
#ifndef DT_RELR  // glibc 2.36
#define DT_RELR 36
#define DT_RELRSZ 35
#endif

// musl's: sets up its state, runs initialisers, calls main and exit. The last three parameters are
// those of its crt1.c; it has weak ones of its own for the first two.
[[noreturn]] int __libc_start_main(int (*main)(int, char**), int argc, char** argv, void (*init)(),
                                   void (*fini)(), void (*loader)());
// NOLINTEND(readability-identifier-naming,bugprone-reserved-identifier)
}

namespace {

using Word = uintptr_t;
static_assert(sizeof(Elf64_Addr) == sizeof(Word));

void add_base(const char* base, Word offset) {
  auto* place = reinterpret_cast<Word*>(const_cast<char*>(base) + offset);
  *place += reinterpret_cast<Word>(base);
}

// An even entry is the address of a place; an odd one is a bit for each of the 63 words after the
// last one (generic ABI, "Relative relocation table").
void apply_relr(const char* base, const Word* entry, const Word* end) {
  Word next = 0;
  for (; entry != end; ++entry) {
    if ((*entry & 1) == 0) {
      add_base(base, *entry);
      next = *entry + sizeof(Word);
      continue;
    }
    for (Word bits = *entry >> 1; bits != 0; bits &= bits - 1) {
      add_base(base, next + static_cast<Word>(__builtin_ctzl(bits)) * sizeof(Word));
    }
    next += 63 * sizeof(Word);
  }
}

void relocate(const char* base, const Elf64_Dyn* entry) {
  const char* rela = base;
  const char* relr = base;
  size_t rela_size = 0, relr_size = 0;
  for (; entry->d_tag != DT_NULL; ++entry) {
    switch (entry->d_tag) {
      case DT_RELA:
        rela = base + entry->d_un.d_ptr;
        break;
      case DT_RELASZ:
        rela_size = entry->d_un.d_val;
        break;
      case DT_RELR:
        relr = base + entry->d_un.d_ptr;
        break;
      case DT_RELRSZ:
        relr_size = entry->d_un.d_val;
        break;
      default:
        break;
    }
  }
  apply_relr(base, reinterpret_cast<const Word*>(relr),
             reinterpret_cast<const Word*>(relr + relr_size));
  ocirt::bare::apply_rela(base, rela, rela_size);  // of a linker without that table
}

// The kernel's page size, from the auxiliary vector that lies behind arguments and environment.
Word page_size(const long* stack) {
  const long* at = stack + 1 + stack[0] + 1;
  while (*at != 0) ++at;
  for (++at; at[0] != AT_NULL; at += 2) {
    if (at[0] == AT_PAGESZ) return static_cast<Word>(at[1]);
  }
  return 4096;
}

void protect(const char* base, Word page) {
  const auto* header = reinterpret_cast<const Elf64_Ehdr*>(base);
  const auto* segment = reinterpret_cast<const Elf64_Phdr*>(base + header->e_phoff);
  for (int i = 0; i < header->e_phnum; ++i, ++segment) {
    if (segment->p_type != PT_GNU_RELRO) continue;
    const Word begin = segment->p_vaddr & ~(page - 1);
    const Word end = (segment->p_vaddr + segment->p_memsz) & ~(page - 1);
    ocirt::bare::call(SYS_mprotect, base + begin, end - begin, PROT_READ);
  }
}

}  // namespace

extern "C" [[gnu::used, noreturn]] void ocirt_start(long* stack) {
  const ocirt::bare::Self self;
  relocate(self.base, self.dynamic);
  asm volatile("" : : : "memory");
  protect(self.base, page_size(stack));
  __libc_start_main(main, static_cast<int>(stack[0]), reinterpret_cast<char**>(stack + 1), nullptr,
                    nullptr, nullptr);
}

OCIRT_ENTER_AT(ocirt_start);
