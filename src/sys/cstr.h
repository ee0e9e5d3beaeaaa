// A borrowed, NUL-terminated string: what every system call that takes a path wants. Unlike
// std::string_view it can be made only from things that really end in NUL.
#pragma once

#include <string>
#include <string_view>

namespace ocirt {

class CStr {
 public:
  constexpr CStr(const char* text) : text_(text) {}       // NOLINT(google-explicit-constructor)
  CStr(const std::string& text) : text_(text.c_str()) {}  // NOLINT(google-explicit-constructor)
  constexpr const char* c_str() const { return text_; }
  constexpr std::string_view view() const { return text_; }

 private:
  const char* text_;
};

}  // namespace ocirt
