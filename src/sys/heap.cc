#include "src/sys/heap.h"

#include <sys/mman.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace ocirt::sys {
namespace {

constexpr size_t kUnit = 16;
constexpr size_t kPiece = size_t{1} << 20;
constexpr size_t kMostInClass = size_t{128} << 10;  // what is larger has pages of its own

// Four sizes for each power of two: 16, 32, 48, 64, 80, 96, 112, 128, 160, ... A block wastes at
// most a fifth.
constexpr size_t class_of(size_t size) {
  const size_t units = (size + kUnit - 1) / kUnit;
  if (units <= 4) return units == 0 ? 0 : units - 1;
  const auto power = static_cast<size_t>(std::bit_width(units - 1)) - 1;
  const size_t quarter = ((units - 1) >> (power - 2)) & 3;
  return 4 * (power - 1) + quarter;
}

constexpr size_t size_of_class(size_t index) {
  if (index < 4) return (index + 1) * kUnit;
  const size_t power = index / 4 + 1;
  return ((index % 4 + 5) << (power - 2)) * kUnit;
}
static_assert(size_of_class(class_of(1)) == 16 && size_of_class(class_of(64)) == 64);
static_assert(size_of_class(class_of(65)) == 80 && size_of_class(class_of(129)) == 160);
static_assert(size_of_class(class_of(kMostInClass)) == kMostInClass);

constexpr uint32_t kUsed = 0x6f636972, kFree = 0x66726565;

// As malloc(3) says; mmap(2) says so by itself.
void* too_large() {
  errno = ENOMEM;
  return nullptr;
}

[[noreturn, gnu::cold]] void end_for_misuse(std::string_view what) {
  (void)!::write(STDERR_FILENO, what.data(), what.size());
  __builtin_trap();
}

}  // namespace

// In front of every block. `start` leads from a block that was aligned to the one that it is in.
struct Heap::Header {
  uint32_t state;
  uint32_t start;  // bytes from the real block to this one; 0: it is the real one
  uint64_t size;   // of the block; more than kMostInClass: it has pages of its own
};

Heap::Header& Heap::header_of(const void* block) {
  static_assert(sizeof(Header) == kUnit);
  Header& header = *reinterpret_cast<Header*>(
      const_cast<char*>(static_cast<const char*>(block) - sizeof(Header)));
  if (header.state == kUsed) return header;
  end_for_misuse(header.state == kFree ? "free: a block is given back twice\n"
                                       : "free: this is no block\n");
}

size_t Heap::room_of(const void* block) { return header_of(block).size; }

// Another piece to cut from; what is left of the last one is lost.
bool Heap::extend(size_t size) {
  if (top_ == nullptr && size <= kFirstPiece) {
    top_ = first_;
    end_ = first_ + kFirstPiece;
    return true;
  }
  void* piece = ::mmap(nullptr, kPiece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (piece == MAP_FAILED) return false;
  top_ = static_cast<char*>(piece);
  end_ = top_ + kPiece;
  return true;
}

void* Heap::cut(size_t index) {
  if (void* block = free_[index]; block != nullptr) {
    std::memcpy(static_cast<void*>(&free_[index]), block, sizeof(void*));
    reinterpret_cast<Header*>(static_cast<char*>(block) - sizeof(Header))->state = kUsed;
    return block;
  }
  const size_t size = size_of_class(index), whole = size + sizeof(Header);
  if (static_cast<size_t>(end_ - top_) < whole && !extend(whole)) return nullptr;
  auto* header = reinterpret_cast<Header*>(top_);
  *header = {kUsed, 0, size};
  top_ += whole;
  return header + 1;
}

void* Heap::take(size_t size, size_t alignment) {
  if (alignment > kUnit) {
    if (size + alignment < size) return too_large();
    auto* whole = static_cast<char*>(take(size + alignment));
    if (whole == nullptr) return nullptr;
    const size_t skip = (~reinterpret_cast<uintptr_t>(whole) + 1) & (alignment - 1);
    if (skip == 0) return whole;
    auto* header = reinterpret_cast<Header*>(whole + skip) - 1;
    *header = {kUsed, static_cast<uint32_t>(skip), header_of(whole).size - skip};
    return header + 1;
  }
  if (size <= kMostInClass) return cut(class_of(size));
  if (size + sizeof(Header) < size) return too_large();
  void* pages = ::mmap(nullptr, size + sizeof(Header), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) return nullptr;
  auto* header = static_cast<Header*>(pages);
  *header = {kUsed, 0, size};
  return header + 1;
}

void* Heap::take_zeroed(size_t count, size_t size) {
  size_t all = 0;
  if (__builtin_mul_overflow(count, size, &all)) return too_large();
  void* block = take(all);
  if (block != nullptr && all <= kMostInClass) std::memset(block, 0, all);
  return block;
}

void Heap::give_back(void* block) {
  if (block == nullptr) return;
  Header* header = &header_of(block);
  if (header->start != 0) {
    block = static_cast<char*>(block) - header->start;
    header->state = kFree;
    header = &header_of(block);
  }
  header->state = kFree;
  if (header->size > kMostInClass) {
    ::munmap(header, header->size + sizeof(Header));
    return;
  }
  void*& list = free_[class_of(header->size)];
  std::memcpy(block, static_cast<const void*>(&list), sizeof(void*));
  list = block;
}

void* Heap::resize(void* block, size_t size) {
  if (block == nullptr) return take(size);
  Header& header = header_of(block);
  const size_t room = header.size;
  if (size <= room) return block;
  if (room > kMostInClass && header.start == 0) {
    void* pages = ::mremap(&header, room + sizeof(Header), size + sizeof(Header), MREMAP_MAYMOVE);
    if (pages == MAP_FAILED) return nullptr;
    auto* moved = static_cast<Header*>(pages);
    moved->size = size;
    return moved + 1;
  }
  // The last one grows where it is.
  if (static_cast<char*>(block) + room == top_ && size <= kMostInClass && header.start == 0) {
    const size_t grown = size_of_class(class_of(size));
    if (static_cast<size_t>(end_ - top_) >= grown - room) {
      top_ += grown - room;
      header.size = grown;
      return block;
    }
  }
  void* larger = take(size);
  if (larger == nullptr) return nullptr;
  std::memcpy(larger, block, room);
  give_back(block);
  return larger;
}

}  // namespace ocirt::sys
