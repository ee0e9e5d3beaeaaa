#include "src/wire/status.h"

#include <cerrno>

namespace ocirt::wire {
namespace {

struct Row {
  Code code;
  int error_number;  // 0: none
};

constexpr Row kRows[] = {
    {Code::kOk, 0},
    {Code::kCanceled, ECANCELED},
    {Code::kUnknown, 0},
    {Code::kInvalidArgument, EINVAL},
    {Code::kDeadlineExceeded, ETIMEDOUT},
    {Code::kNotFound, ENOENT},
    {Code::kAlreadyExists, EEXIST},
    {Code::kPermissionDenied, EACCES},
    {Code::kResourceExhausted, ENOSPC},
    {Code::kFailedPrecondition, EBUSY},
    {Code::kAborted, 0},
    {Code::kOutOfRange, ERANGE},
    {Code::kUnimplemented, ENOSYS},
    {Code::kInternal, 0},
    {Code::kUnavailable, ECONNREFUSED},
    {Code::kDataLoss, 0},
    {Code::kUnauthenticated, 0},
};

}  // namespace

int errno_of(Code code) {
  for (const Row& row : kRows) {
    if (row.code == code) return row.error_number;
  }
  return 0;
}

Code code_of(int error_number) {
  for (const Row& row : kRows) {
    if (error_number != 0 && row.error_number == error_number) return row.code;
  }
  return Code::kUnknown;
}

}  // namespace ocirt::wire
