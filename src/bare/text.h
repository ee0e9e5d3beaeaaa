// Text in a buffer of fixed size, for code that must not allocate. What does not fit is cut off.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace ocirt::bare {

template <size_t kSize>
class Buffer {
 public:
  Buffer& operator<<(std::string_view piece) {
    size_t room = kSize - 1 - used_;
    if (piece.size() > room) {
      piece = piece.substr(0, room);
      cut_ = true;
    }
    std::memcpy(bytes_ + used_, piece.data(), piece.size());
    used_ += piece.size();
    bytes_[used_] = '\0';
    return *this;
  }
  Buffer& operator<<(const char* piece) { return *this << std::string_view(piece); }
  Buffer& operator<<(int64_t number) {
    if (number < 0) {
      *this << std::string_view("-");
      return *this << (uint64_t{0} - static_cast<uint64_t>(number));
    }
    return *this << static_cast<uint64_t>(number);
  }
  Buffer& operator<<(int number) { return *this << static_cast<int64_t>(number); }
  Buffer& operator<<(uint32_t number) { return *this << static_cast<uint64_t>(number); }
  Buffer& operator<<(uint64_t number) {
    char digits[20];
    size_t at = sizeof digits;
    do {
      digits[--at] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    return *this << std::string_view(digits + at, sizeof digits - at);
  }
  // Octal with a leading zero, as permissions are written.
  Buffer& octal(uint32_t number) {
    char digits[12];
    size_t at = sizeof digits;
    do {
      digits[--at] = static_cast<char>('0' + (number & 7));
      number >>= 3;
    } while (number != 0);
    digits[--at] = '0';
    return *this << std::string_view(digits + at, sizeof digits - at);
  }

  std::string_view view() const { return {bytes_, used_}; }
  const char* c_str() const { return bytes_; }
  bool cut() const { return cut_; }  // something did not fit
  void clear() {
    used_ = 0;
    cut_ = false;
    bytes_[0] = '\0';
  }

 private:
  char bytes_[kSize] = {};
  size_t used_ = 0;
  bool cut_ = false;
};

}  // namespace ocirt::bare
