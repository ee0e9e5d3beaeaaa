// What the C++ library calls when an exception finds nobody who catches it. Nothing of ours throws
// or catches; an exception can only come out of the library itself, as for a string that would be
// longer than memory. The library's own handler prints the exception's type, for which it brings a
// demangler, printf and the reading of symbols: 55 KB of text in every static program.
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace __gnu_cxx {

// Declared by <exception>; linked in by `-u` in the Makefile.
void __verbose_terminate_handler();

void __verbose_terminate_handler() {
  constexpr std::string_view kText = "ocirt: internal error: the C++ library gave up\n";
  [[maybe_unused]] ssize_t written = ::write(STDERR_FILENO, kText.data(), kText.size());
  std::abort();
}

}  // namespace __gnu_cxx
