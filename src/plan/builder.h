// Builds the flat block of a plan (plan.h): strings and arrays are appended, the Plan itself stays
// at the front and can be edited until finish().
#pragma once

#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "src/plan/plan.h"

namespace ocirt::plan {

class Builder {
 public:
  Builder() { bytes_.resize(sizeof(Plan)); }

  Plan plan;  // put in front by finish()

  // Appends a string and its NUL. An empty string is a string: only `absent` texts have offset 0.
  Text text(std::string_view value) {
    Text where{static_cast<uint32_t>(bytes_.size()), static_cast<uint32_t>(value.size())};
    bytes_.append(value);
    bytes_ += '\0';
    return where;
  }

  template <class T>
  List<T> list(std::span<const T> values) {
    static_assert(std::is_trivially_copyable_v<T>);
    bytes_.resize((bytes_.size() + alignof(T) - 1) / alignof(T) * alignof(T));
    List<T> where{static_cast<uint32_t>(bytes_.size()), static_cast<uint32_t>(values.size())};
    bytes_.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
    return where;
  }
  template <class T>
  List<T> list(const std::vector<T>& values) {
    return list(std::span<const T>(values));
  }

  List<Text> texts(std::span<const std::string> values) {
    std::vector<Text> all;
    all.reserve(values.size());
    for (const std::string& value : values) all.push_back(text(value));
    return list(all);
  }

  // A string that was appended before.
  std::string_view view(Text text) const {
    return std::string_view(bytes_).substr(text.offset, text.size);
  }

  // The block. The builder may be edited and finished again.
  const std::string& finish() {
    plan.size = bytes_.size();
    std::memcpy(bytes_.data(), &plan, sizeof plan);
    return bytes_;
  }

 private:
  std::string bytes_;
};

}  // namespace ocirt::plan
