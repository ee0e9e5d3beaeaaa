// Memory for a command that lives for milliseconds: src/cli/malloc.cc makes it the program's
// malloc(3). glibc's own asks the kernel four times before it gives out the first byte and has
// 34 KB of code, for threads, for sizes and for lifetimes that such a command does not have.
//
// Blocks are cut one behind the other from a piece of the program's zeroed memory, which costs
// nothing until it is touched, then from larger pieces of the kernel's. One that is given back
// waits in the list of its size for the next that wants that size, so what goes round in a loop
// takes no more memory in the end than at the beginning. In front of each block stands what it is:
// one that is given back twice, or that never was one, ends the process. For one thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ocirt::sys {

class Heap {
 public:
  // All zero: needs no code at the start.
  constexpr Heap() = default;
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;

  // A block of at least `size` bytes at a multiple of `alignment`, a power of two of at least 16;
  // nullptr when there is no memory.
  void* take(size_t size, size_t alignment = 16);
  // Zeroed, and nullptr when the product is too large.
  void* take_zeroed(size_t count, size_t size);
  // nullptr is no block.
  void give_back(void* block);
  // The same content in a block of another size, most often in place; nullptr leaves the old one.
  void* resize(void* block, size_t size);
  // How many bytes the block has.
  static size_t room_of(const void* block);

 private:
  struct Header;
  static constexpr size_t kClasses = 48;
  static constexpr size_t kFirstPiece = size_t{256} << 10;
  static Header& header_of(const void* block);
  bool extend(size_t size);
  void* cut(size_t index);

  alignas(16) char first_[kFirstPiece] = {};
  char* top_ = nullptr;  // where the next block is cut
  char* end_ = nullptr;
  void* free_[kClasses] = {};
};

}  // namespace ocirt::sys
