// UTF-8 is checked here and not by yajl, whose check lets overlong forms and surrogates pass: such
// a text would be written out again as something that no other reader takes.
#include "oci-spec/json/text.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>

namespace oci::json {
namespace {

constexpr std::size_t kQuotedLimit = 80;  // bytes of a text that a message repeats

// Length of the well-formed sequence at `i`, or 0.
std::size_t sequence_length(std::string_view text, std::size_t i) {
  const auto byte = [&](std::size_t at) -> unsigned {
    return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u;
  };
  const auto follows = [&](std::size_t at) { return (byte(at) & 0xC0u) == 0x80u; };
  const unsigned lead = byte(i);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return follows(i + 1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if (lead == 0xE0 && byte(i + 1) < 0xA0) return 0;  // overlong
    if (lead == 0xED && byte(i + 1) > 0x9F) return 0;  // surrogate
    return follows(i + 1) && follows(i + 2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (lead == 0xF0 && byte(i + 1) < 0x90) return 0;  // overlong
    if (lead == 0xF4 && byte(i + 1) > 0x8F) return 0;  // above U+10FFFF
    return follows(i + 1) && follows(i + 2) && follows(i + 3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::size_t find_invalid_utf8(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    // Documents are nearly all ASCII: eight bytes at a time.
    while (text.size() - i >= sizeof(std::uint64_t)) {
      std::uint64_t word;
      std::memcpy(&word, text.data() + i, sizeof(word));
      if (word & 0x8080808080808080u) break;
      i += sizeof(word);
    }
    if (i == text.size()) break;
    const std::size_t length = sequence_length(text, i);
    if (length == 0) return i;
    i += length;
  }
  return std::string_view::npos;
}

std::string replace_invalid_utf8(std::string_view text) {
  std::string out;
  std::size_t i = 0;
  while (i < text.size()) {
    const std::size_t length = sequence_length(text, i);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
      ++i;
    } else {
      out += text.substr(i, length);
      i += length;
    }
  }
  return out;
}

bool equal_in_any_case(std::string_view one, std::string_view other) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return std::ranges::equal(one, other, {}, lower, lower);
}

bool may_name(std::string_view text, std::string_view part) {
  const char first = part.front();
  for (const char begin : {first, static_cast<char>(first ^ 0x20)}) {
    for (std::size_t at = 0; (at = text.find(begin, at)) != std::string_view::npos; ++at) {
      if (equal_in_any_case(text.substr(at, part.size()), part)) return true;
    }
  }
  return text.contains("\\u");  // by which any letter may be written
}

std::string quoted(std::string_view text) {
  const bool shortened = text.size() > kQuotedLimit;
  if (shortened) {
    std::size_t end = kQuotedLimit;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0u) == 0x80u) --end;
    text = text.substr(0, end);
  }
  std::string out = "\"";
  for (const char c : replace_invalid_utf8(text)) {
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  }
  out += shortened ? "...\"" : "\"";
  return out;
}

void append_member(std::string& path, std::string_view name) {
  if (!path.empty()) path += '.';
  path += name;
}

void append_index(std::string& path, std::size_t index) {
  char digits[24];
  const auto [end, error] = std::to_chars(digits, digits + sizeof(digits), index);
  path += '[';
  if (error == std::errc{}) path.append(digits, end);
  path += ']';
}

void append_key(std::string& path, std::string_view key) {
  path += '[';
  path += quoted(key);
  path += ']';
}

Place place_of(std::string_view text, std::size_t offset) {
  Place place{1, 1};
  text = text.substr(0, offset);
  for (const char c : text) {
    if (c == '\n') {
      ++place.line;
      place.column = 1;
    } else {
      ++place.column;
    }
  }
  return place;
}

std::size_t start_of_bad_token(std::string_view text, std::size_t behind_last,
                               std::size_t stopped) {
  std::size_t offset = std::min(stopped, text.size());
  if (offset > 0) --offset;
  const auto is_word = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '+' || c == '.';
  };
  while (offset > behind_last && is_word(text[offset]) && is_word(text[offset - 1])) --offset;
  if (offset > behind_last && text[offset] == '"') {
    offset = std::min(offset, text.find('"', behind_last));
  }
  return offset;
}

}  // namespace oci::json
