// Text without streams or locale: joining pieces, numbers, splitting. GCC 12 has no <format>.
#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ocirt {

namespace detail {
inline void append(std::string& out, std::string_view piece) { out += piece; }
inline void append(std::string& out, char piece) { out += piece; }
template <std::integral N>
  requires(!std::same_as<N, char> && !std::same_as<N, bool>)
void append(std::string& out, N number) {
  char digits[24];
  auto [end, error] = std::to_chars(digits, digits + sizeof digits, number);
  out.append(digits, end);
}
}  // namespace detail

// Joins its arguments (strings, characters, integers) into one string.
template <class... Pieces>
std::string cat(const Pieces&... pieces) {
  std::string out;
  (detail::append(out, pieces), ...);
  return out;
}

// Puts the text between double quotes, escaping control characters, quotes and backslashes, so that
// hostile input cannot break a one-line error. At most 200 bytes are shown; "..." marks the cut.
std::string quoted(std::string_view text);

// Parses the whole of `text` as a number; nothing if a byte is left over or it does not fit.
template <std::integral N>
std::optional<N> to_number(std::string_view text, int base = 10) {
  N number{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Splits at every `separator`; an empty text gives one empty piece. The views point into `text`.
std::vector<std::string_view> split(std::string_view text, char separator);

// The next line of `rest` (without its newline), which is removed from `rest`; nothing at the end.
std::optional<std::string_view> next_line(std::string_view& rest);

// Removes spaces, tabs and newlines at both ends.
std::string_view trim(std::string_view text);

// The path without duplicate slashes, "." and "..", as if made absolute: "a//b/../c" -> "/a/c".
// Purely lexical: for comparing what a configuration says, never for reaching a file.
std::string clean_path(std::string_view path);

}  // namespace ocirt
