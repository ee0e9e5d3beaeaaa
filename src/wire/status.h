// How a call ends: the codes of ttrpc, which are those of gRPC. containerd decides by the code,
// people read the text.
#pragma once

#include <cstdint>
#include <string_view>

namespace ocirt::wire {

enum class Code : int32_t {
  kOk = 0,
  kCanceled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

// The errno value that says the same, as Error::code has it: ENOENT for kNotFound, 0 where none
// does.
int errno_of(Code code);
// The other way round, for errors of the runtime that are to be answered; kUnknown where none fits,
// as containerd itself answers what it cannot classify.
Code code_of(int error_number);

}  // namespace ocirt::wire
