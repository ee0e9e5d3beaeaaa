// Finds a property's place in a document that is known to be valid JSON; see reader.h.
#include <algorithm>
#include <charconv>

#include "oci-spec/json/reader.h"
#include "oci-spec/json/text.h"

namespace oci::json {
namespace {

// A cursor over valid JSON. Every step checks its bounds all the same.
struct Cursor {
  std::string_view text;
  std::size_t at = 0;

  char peek() const { return at < text.size() ? text[at] : '\0'; }

  void skip_blanks() { at = std::min(text.find_first_not_of(" \t\r\n,:", at), text.size()); }

  // The raw text of the string at the cursor.
  std::string_view take_string() {
    const std::size_t begin = ++at;
    while (at < text.size() && text[at] != '"') at += text[at] == '\\' ? 2 : 1;
    const std::size_t end = std::min(at, text.size());
    ++at;
    return text.substr(begin, end - begin);
  }

  void skip_value() {
    std::size_t depth = 0;
    do {
      skip_blanks();
      const char c = peek();
      if (c == '"') {
        take_string();
      } else if (c == '{' || c == '[') {
        ++depth;
        ++at;
      } else if (c == '}' || c == ']') {
        --depth;
        ++at;
      } else {
        at = std::min(text.find_first_of(" \t\r\n,:]}", at), text.size());
      }
    } while (depth > 0 && at < text.size());
  }

  // Moves into the member `name` of the object at the cursor; the last one of that name counts.
  bool enter_member(std::string_view name) {
    if (peek() != '{') return false;
    ++at;
    std::size_t found = std::string_view::npos;
    for (skip_blanks(); peek() == '"'; skip_blanks()) {
      const bool wanted = take_string() == name;
      skip_blanks();
      if (wanted) found = at;
      skip_value();
    }
    if (found != std::string_view::npos) at = found;
    return found != std::string_view::npos;
  }

  bool enter_element(std::size_t index) {
    if (peek() != '[') return false;
    ++at;
    for (skip_blanks(); at < text.size() && peek() != ']'; skip_blanks()) {
      if (index-- == 0) return true;
      skip_value();
    }
    return false;
  }
};

}  // namespace

void locate(std::string_view text, Error& error) {
  Cursor cursor{text};
  cursor.skip_blanks();
  std::size_t found = cursor.at;
  std::string_view path = error.property;
  while (!path.empty()) {
    bool entered = false;
    if (path.starts_with("[\"")) {
      const std::size_t end = path.find("\"]");
      if (end == std::string_view::npos) break;
      entered = cursor.enter_member(path.substr(2, end - 2));
      path.remove_prefix(end + 2);
    } else if (path.starts_with('[')) {
      std::size_t index = 0;
      const auto [rest, code] = std::from_chars(path.data() + 1, path.data() + path.size(), index);
      if (code != std::errc{}) break;
      entered = cursor.enter_element(index);
      path.remove_prefix(std::min(static_cast<std::size_t>(rest - path.data()) + 1, path.size()));
    } else {
      if (path.starts_with('.')) path.remove_prefix(1);
      const std::size_t end = std::min(path.find_first_of(".["), path.size());
      entered = cursor.enter_member(path.substr(0, end));
      path.remove_prefix(end);
    }
    if (!entered) break;
    found = cursor.at;
  }
  const Place place = place_of(text, found);
  error.line = place.line;
  error.column = place.column;
}

}  // namespace oci::json
