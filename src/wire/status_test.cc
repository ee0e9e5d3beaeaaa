#include "src/wire/status.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace ocirt::wire {
namespace {

TEST(Status, CodesAndErrnoValuesSayTheSame) {
  for (int code = 0; code <= 16; ++code) {
    const int number = errno_of(static_cast<Code>(code));
    if (number != 0) {
      EXPECT_EQ(code_of(number), static_cast<Code>(code));
    }
  }
  EXPECT_EQ(code_of(ENOENT), Code::kNotFound);
  EXPECT_EQ(code_of(EEXIST), Code::kAlreadyExists);
  EXPECT_EQ(code_of(0), Code::kUnknown);
  EXPECT_EQ(code_of(EIO), Code::kUnknown);
  EXPECT_EQ(errno_of(static_cast<Code>(99)), 0);
}

}  // namespace
}  // namespace ocirt::wire
