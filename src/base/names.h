// Kernel vocabulary as data: one sorted constexpr table per vocabulary (capabilities, signals,
// mount options, ...), used by the parser, by error messages and by `ocirt features` alike.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ocirt {

// A text of at most 23 bytes that is its own place. A table of these has no addresses, so that no
// page of it is written when a program starts (src/musl/start.cc); one of std::string_view has.
class Word {
 public:
  template <size_t N>
  consteval Word(const char (&text)[N]) : size_(N - 1) {  // a longer one does not compile
    for (size_t i = 0; i < N - 1; ++i) text_[i] = text[i];
  }
  // Of a word that lives as long as the text is used, as one of a table does.
  constexpr std::string_view text() const& { return {text_, size_}; }
  constexpr std::string_view text() const&& = delete;
  constexpr operator std::string_view() const& { return text(); }
  constexpr operator std::string_view() const&& = delete;

 private:
  char text_[23]{};
  uint8_t size_;
};

// `Text` is std::string_view where a table has longer names.
template <class Value, class Text = Word>
struct Name {
  Text name;
  Value value;
};

// For static_assert beside each table: strictly ascending by name, so that find() may bisect.
template <class Value, class Text, size_t N>
constexpr bool sorted(const Name<Value, Text> (&table)[N]) {
  for (size_t i = 1; i < N; ++i) {
    if (!(std::string_view(table[i - 1].name) < std::string_view(table[i].name))) return false;
  }
  return true;
}

// The value of `name` in a sorted table.
template <class Value, class Text, size_t N>
constexpr std::optional<Value> find(const Name<Value, Text> (&table)[N], std::string_view name) {
  using Row = Name<Value, Text>;
  auto* row = std::lower_bound(table, table + N, name, [](const Row& r, std::string_view n) {
    return std::string_view(r.name) < n;
  });
  if (row == table + N || std::string_view(row->name) != name) return std::nullopt;
  return row->value;
}

}  // namespace ocirt
