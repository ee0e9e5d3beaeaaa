#include "oci-spec/json/memory.h"

#include <cstdlib>
#include <new>

namespace oci::json {
namespace {

// Ends the program, unless there is memory again.
void demand(std::size_t size) { ::operator delete(::operator new(size)); }

void* take(void*, std::size_t size) {
  for (;;) {
    if (void* block = std::malloc(size); block != nullptr || size == 0) return block;
    demand(size);
  }
}

void* change(void*, void* block, std::size_t size) {
  for (;;) {
    if (void* changed = std::realloc(block, size); changed != nullptr || size == 0) return changed;
    demand(size);
  }
}

void give_back(void*, void* block) { std::free(block); }

constexpr yajl_alloc_funcs kMemory = {take, change, give_back, nullptr};

}  // namespace

// yajl's parameter is not const, and it changes nothing.
yajl_alloc_funcs* memory() { return const_cast<yajl_alloc_funcs*>(&kMemory); }

}  // namespace oci::json
