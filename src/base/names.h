// Kernel vocabulary as data: one sorted constexpr table per vocabulary (capabilities, signals,
// mount options, ...), used by the parser, by error messages and by `ocirt features` alike.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>

namespace ocirt {

template <class Value>
struct Name {
  std::string_view name;
  Value value;
};

// For static_assert beside each table: strictly ascending by name, so that find() may bisect.
template <class Value, size_t N>
constexpr bool sorted(const Name<Value> (&table)[N]) {
  for (size_t i = 1; i < N; ++i) {
    if (!(table[i - 1].name < table[i].name)) return false;
  }
  return true;
}

// The value of `name` in a sorted table.
template <class Value, size_t N>
constexpr std::optional<Value> find(const Name<Value> (&table)[N], std::string_view name) {
  auto* row = std::lower_bound(table, table + N, name,
                               [](const Name<Value>& r, std::string_view n) { return r.name < n; });
  if (row == table + N || row->name != name) return std::nullopt;
  return row->value;
}

}  // namespace ocirt
