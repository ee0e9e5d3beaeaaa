// What a forked child has to say at its end: that it is done, or its error.
#pragma once

#include <string_view>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace ocirt::sys {

// Writes it for hear_result(), which reads the other end of this pipe.
void tell_result(Fd pipe, const Result<>& done);
// Reads to the pipe's end: what the child told, with its code, or `silence` when it told nothing.
Result<> hear_result(Fd pipe, std::string_view silence);

}  // namespace ocirt::sys
