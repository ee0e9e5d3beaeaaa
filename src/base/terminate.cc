// Last words of the libraries below us, in place of their own, which bring printf, a demangler, the
// reading of symbols and of translated messages into every static program: 90 KB of text.
//
// Nothing of ours throws or catches; an exception can only come out of the C++ library itself, as
// for a string that would be longer than memory, and then finds nobody. An assertion is a bug of
// ours (an index out of range, -D_GLIBCXX_ASSERTIONS) or of a library's.
#include "src/base/terminate.h"

#include <unistd.h>

#include <cstdlib>

namespace ocirt {

void end_with(std::string_view what, std::string_view detail) {
  auto say = [](std::string_view text) {
    [[maybe_unused]] ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
  };
  say("ocirt: internal error: ");
  say(what);
  say(detail);
  say("\n");
  std::abort();
}

}  // namespace ocirt

namespace __gnu_cxx {

// Declared by <exception>; linked in by `-u` in the Makefile.
void __verbose_terminate_handler();

void __verbose_terminate_handler() { ocirt::end_with("the C++ library gave up"); }

}  // namespace __gnu_cxx

namespace std {

__attribute__((__noreturn__)) void __glibcxx_assert_fail(const char*, int, const char*,
                                                         const char* condition) noexcept {
  ocirt::end_with("this does not hold: ", condition);
}

}  // namespace std

extern "C" __attribute__((__noreturn__)) void __assert_fail(const char* condition, const char*,
                                                            unsigned, const char*) noexcept {
  ocirt::end_with("this does not hold: ", condition);
}
