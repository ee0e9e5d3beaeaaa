// What getdents64(2) writes, which no header of the kernel's interface has.
#pragma once

#include <cstdint>

namespace ocirt::init {

struct DirectoryEntry {
  uint64_t d_ino;
  int64_t d_off;
  unsigned short d_reclen;
  unsigned char d_type;
  char d_name[];
};

}  // namespace ocirt::init
