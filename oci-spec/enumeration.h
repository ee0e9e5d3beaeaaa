// Closed enumerations of the schema as `enum class` with one table of names each.
//
// The table is sorted and the enumerators are declared in the same order, so that the value is the
// index into the table: to_string() is one load, parse() a binary search, and the schema reader,
// the writer and the `features` document all use the same table. A name that is missing from the
// table does not compile (names_agree).
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace oci {

namespace detail {

constexpr bool sorted(std::span<const std::string_view> names) {
  for (std::size_t i = 1; i < names.size(); ++i) {
    if (!(names[i - 1] < names[i])) return false;
  }
  return true;
}

// Index of `text` in the sorted `names`, or names.size().
constexpr std::size_t index_of(std::span<const std::string_view> names, std::string_view text) {
  std::size_t low = 0;
  std::size_t high = names.size();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (names[middle] < text) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < names.size() && names[low] == text ? low : names.size();
}

}  // namespace detail

// An enumeration of the schema: names_of(E) is declared beside it.
template <class E>
concept Enumeration = requires(E e) {
  { names_of(e) } -> std::convertible_to<std::span<const std::string_view>>;
};

// The word of the schema: to_string(NamespaceType::kPid) == "pid".
template <Enumeration E>
constexpr std::string_view to_string(E value) {
  const std::span<const std::string_view> names = names_of(value);
  const auto index = static_cast<std::size_t>(value);
  return index < names.size() ? names[index] : std::string_view("?");
}

// The inverse: parse<NamespaceType>("pid"); nullopt when the schema does not know the word.
template <Enumeration E>
constexpr std::optional<E> parse(std::string_view text) {
  const std::span<const std::string_view> names = names_of(E{});
  const std::size_t index = detail::index_of(names, text);
  if (index == names.size()) return std::nullopt;
  return static_cast<E>(index);
}

// Compile-time proof that a table is sorted and as long as its enumeration (`last` is the last
// enumerator) and that the index of a name is the enumerator.
template <Enumeration E>
consteval bool names_agree(E last) {
  const std::span<const std::string_view> names = names_of(E{});
  return detail::sorted(names) && names.size() == static_cast<std::size_t>(last) + 1;
}

}  // namespace oci
