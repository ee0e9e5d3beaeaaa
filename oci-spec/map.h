// A JSON object that the specification uses as a map from free names to values (annotations,
// sysctl).
//
// The order of the document is kept: a written document looks like the one that was read, and
// properties that are applied one after the other (sysctl, unified) are applied in the order given.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace oci {

template <class T>
struct Map : std::vector<std::pair<std::string, T>> {
  using std::vector<std::pair<std::string, T>>::vector;

  // The value under `key`, or nullptr. Linear: these maps have a handful of entries.
  const T* find(std::string_view key) const {
    for (const auto& [name, value] : *this) {
      if (name == key) return &value;
    }
    return nullptr;
  }
  T* find(std::string_view key) {
    for (auto& [name, value] : *this) {
      if (name == key) return &value;
    }
    return nullptr;
  }

  // Replaces the value under `key`, or appends it.
  void set(std::string_view key, T value) {
    if (T* old = find(key)) {
      *old = std::move(value);
    } else {
      this->emplace_back(std::string(key), std::move(value));
    }
  }
};

}  // namespace oci
