// Memory that we share with a program that we execute: it gets the descriptor and maps it.
#pragma once

#include <cstddef>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/sys/cstr.h"

namespace ocirt::sys {

class [[nodiscard]] SharedBlock {
 public:
  static Result<SharedBlock> make(CStr name, size_t size);  // filled with zeros
  SharedBlock(SharedBlock&& other) noexcept;
  SharedBlock& operator=(SharedBlock&&) = delete;
  ~SharedBlock();
  Fd fd() const { return fd_; }
  void* memory() const { return memory_; }

 private:
  SharedBlock() = default;
  UniqueFd fd_;
  void* memory_ = nullptr;
  size_t size_ = 0;
};

// Nanoseconds of CLOCK_MONOTONIC, which all processes of a machine have in common.
uint64_t monotonic_ns();

}  // namespace ocirt::sys
