// operator new and the last words of the C++ library, in place of libstdc++'s, which throw.
//
// Nobody catches in a program that is compiled without exceptions, and what throwing needs is 30 KB
// of unwinder and a pool of 72 KB that is set up before main. Only what is linked with musl has
// these: tests keep the library's.
#include <cstdlib>
#include <new>

#include "src/base/terminate.h"

namespace {

// [new.delete.single]: the handler, out_of_memory() of each program, says why and does not return.
void* take(size_t size) {
  void* block = std::malloc(size == 0 ? 1 : size);
  if (block != nullptr) return block;
  if (const std::new_handler handler = std::get_new_handler(); handler != nullptr) handler();
  ocirt::end_with("memory is used up");
}

}  // namespace

void* operator new(size_t size) { return take(size); }
void* operator new[](size_t size) { return take(size); }
void operator delete(void* block) noexcept { std::free(block); }
void operator delete[](void* block) noexcept { std::free(block); }
void operator delete(void* block, size_t) noexcept { std::free(block); }
void operator delete[](void* block, size_t) noexcept { std::free(block); }

// What the headers call where the standard says that an exception is thrown.
namespace std {

// NOLINTBEGIN(readability-identifier-naming,bugprone-reserved-identifier): libstdc++'s names
void terminate() noexcept { ocirt::end_with("the C++ library gave up"); }
void __throw_bad_alloc() { ocirt::end_with("memory is used up"); }
void __throw_bad_array_new_length() { ocirt::end_with("an array has no length"); }
void __throw_length_error(const char* what) { ocirt::end_with(what); }
void __throw_logic_error(const char* what) { ocirt::end_with(what); }
void __throw_out_of_range_fmt(const char* format, ...) { ocirt::end_with(format); }
// NOLINTEND(readability-identifier-naming,bugprone-reserved-identifier)

}  // namespace std

// A virtual function that has no definition, called while its object is made or destroyed.
extern "C" [[noreturn]] void __cxa_pure_virtual() {  // NOLINT(bugprone-reserved-identifier)
  ocirt::end_with("a pure virtual function was called");
}
