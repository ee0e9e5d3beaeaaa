#include "src/sys/shared_block.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <utility>

#include "src/base/text.h"
#include "src/sys/file.h"

namespace ocirt::sys {

Result<SharedBlock> SharedBlock::make(CStr name, size_t size) {
  SharedBlock block;
  block.fd_ = TRY(memory_file(name));
  if (::ftruncate(block.fd_.raw(), static_cast<off_t>(size)) < 0)
    return os_error(cat("enlarge ", name.view()), errno);
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, block.fd_.raw(), 0);
  if (memory == MAP_FAILED) return os_error(cat("map ", name.view()), errno);
  block.memory_ = memory;
  block.size_ = size;
  return block;
}

SharedBlock::SharedBlock(SharedBlock&& other) noexcept
    : fd_(std::move(other.fd_)),
      memory_(std::exchange(other.memory_, nullptr)),
      size_(other.size_) {}

SharedBlock::~SharedBlock() {
  if (memory_ != nullptr) ::munmap(memory_, size_);
}

uint64_t monotonic_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000 + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace ocirt::sys
