// Where init finds its plan: the kernel maps it with the program, as a segment whose place and size
// are written into the program's headers for every start (container/init_program.h). That is no
// call of init's, and no descriptor of the program that it would have to inherit.
#pragma once

#include <elf.h>

namespace ocirt::plan {

// What init is executed as, and nobody else who comes by its program (/proc/PID/exe).
constexpr const char* kInitName = "ocirt-init";

// The third program header, of which the linker makes that of the dynamic section. It is for
// loaders, the kernel does not look at it, and init knows that section by its symbol.
constexpr unsigned kPlanHeader = 2;

// What the program begins with.
struct Headers {
  Elf64_Ehdr file;
  Elf64_Phdr segments[kPlanHeader + 1];
};

}  // namespace ocirt::plan
