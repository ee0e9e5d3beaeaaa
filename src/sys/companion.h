// Companions: small programs that come with ocirt for what cannot be linked into it. A library that
// a distribution has as a shared one only (libmnl, libsystemd) would make every command load it and
// the C library's loader, a millisecond each time; a companion is executed only when a
// configuration asks for what it does. It is asked once: a request on its standard input,
// descriptors, one line of answer.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/sys/cstr.h"

namespace ocirt::sys {

// Where the companion is: beside ocirt (a build directory), or in ../libexec/ocirt or ../lib/ocirt
// from there (installed). Found by ocirt's own path, so an installed tree can be moved; never by
// PATH. Code ENOENT and a remedy when it is nowhere: it is left out of a build without its library.
Result<std::string> find_companion(std::string_view name);
// The same from the directory that is named.
Result<std::string> find_companion_from(std::string_view directory, std::string_view name);

// What a companion is asked.
struct CompanionCall {
  std::string path;               // from find_companion()
  std::string_view request = {};  // its standard input, a file: it may read as much as it wants
  std::span<const Fd> descriptors = {};  // become 3, 4, ... there; at most 16
  int timeout_ms = 30000;  // then it is killed, and the call fails with code ETIMEDOUT
};

// Executes it and returns what it answered after "ok". When it answered "error", that is the error,
// with its code. A companion that ends without an answer (its library is missing, it crashed) is an
// error that holds the last of what it said. It has a process group of its own, so that what it
// has begun is not cut short by a key on our terminal; our signal mask and environment are its own.
Result<std::string> ask_companion(const CompanionCall& call);

// The other side. The whole of the request.
Result<std::string> companion_request();
// Ends us by SIGKILL when who has asked dies, also if that is so already: for work that is nobody's
// then.
void end_with_caller();
// Says the answer, which must not hold a newline (one is replaced); the companion's exit status.
int companion_answer(const Result<std::string>& answer);

}  // namespace ocirt::sys
