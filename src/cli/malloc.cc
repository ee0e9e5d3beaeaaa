// malloc(3) and its like of this program: src/sys/heap.h says why it has its own. Not where the
// sanitizers bring theirs.
#include <cstddef>

#include "src/sys/heap.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || \
    __has_feature(thread_sanitizer)
#define OCIRT_FOREIGN_HEAP
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OCIRT_FOREIGN_HEAP
#endif

#ifndef OCIRT_FOREIGN_HEAP
namespace {

constinit ocirt::sys::Heap heap;

constexpr bool is_power_of_two(size_t number) {
  return number != 0 && (number & (number - 1)) == 0;
}

}  // namespace

// NOLINTBEGIN(readability-identifier-naming): names of the C library
extern "C" {

void* malloc(size_t size) { return heap.take(size); }
void free(void* block) { heap.give_back(block); }
void* calloc(size_t count, size_t size) { return heap.take_zeroed(count, size); }
void* realloc(void* block, size_t size) { return heap.resize(block, size); }

void* aligned_alloc(size_t alignment, size_t size) {
  if (!is_power_of_two(alignment)) return nullptr;
  return heap.take(size, alignment < 16 ? 16 : alignment);
}
void* memalign(size_t alignment, size_t size) { return aligned_alloc(alignment, size); }
int posix_memalign(void** block, size_t alignment, size_t size) {
  constexpr int kNoMemory = 12;
  void* found = aligned_alloc(alignment, size);
  if (found == nullptr) return kNoMemory;
  *block = found;
  return 0;
}
size_t malloc_usable_size(void* block) {
  return block == nullptr ? 0 : ocirt::sys::Heap::room_of(block);
}
}
// NOLINTEND(readability-identifier-naming)
#endif
