#include "src/wire/status.h"

#include <cerrno>

namespace ocirt::wire {
namespace {

struct Row {
  Code code;
  int error_number;  // 0: none
  std::string_view name;
};

constexpr Row kRows[] = {
    {Code::kOk, 0, "ok"},
    {Code::kCanceled, ECANCELED, "canceled"},
    {Code::kUnknown, 0, "unknown"},
    {Code::kInvalidArgument, EINVAL, "invalid argument"},
    {Code::kDeadlineExceeded, ETIMEDOUT, "deadline exceeded"},
    {Code::kNotFound, ENOENT, "not found"},
    {Code::kAlreadyExists, EEXIST, "already exists"},
    {Code::kPermissionDenied, EACCES, "permission denied"},
    {Code::kResourceExhausted, ENOSPC, "resource exhausted"},
    {Code::kFailedPrecondition, EBUSY, "failed precondition"},
    {Code::kAborted, 0, "aborted"},
    {Code::kOutOfRange, ERANGE, "out of range"},
    {Code::kUnimplemented, ENOSYS, "unimplemented"},
    {Code::kInternal, 0, "internal"},
    {Code::kUnavailable, ECONNREFUSED, "unavailable"},
    {Code::kDataLoss, 0, "data loss"},
    {Code::kUnauthenticated, 0, "unauthenticated"},
};

}  // namespace

std::string_view code_name(Code code) {
  for (const Row& row : kRows) {
    if (row.code == code) return row.name;
  }
  return {};
}

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
