// The reader is a plain recursive descent: documents of tests are small and their depth is ours.
#include "tests/support/json.h"

#include <charconv>

namespace harness {

class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : text_(text) {}

  Json document() {
    Json value = read_value();
    skip_space();
    if (at_ != text_.size()) fail("text after the value");
    return value;
  }

 private:
  [[noreturn]] void fail(const char* what) const {
    throw JsonError("JSON: " + std::string(what) + " at byte " + std::to_string(at_) + " of \"" +
                    std::string(text_.substr(0, 400)) + "\"");
  }

  void skip_space() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").contains(text_[at_])) ++at_;
  }

  char peek() {
    skip_space();
    if (at_ == text_.size()) fail("unexpected end");
    return text_[at_];
  }

  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }

  void want(char c) {
    if (!take(c)) fail("unexpected character");
  }

  Json read_value() {
    switch (peek()) {
      case '{':
        return read_object();
      case '[':
        return read_array();
      case '"':
        return Json::string(read_string());
      default:
        return read_word();
    }
  }

  Json read_object() {
    Json value;
    value.kind_ = Json::Kind::kObject;
    want('{');
    if (take('}')) return value;
    do {
      if (peek() != '"') fail("a member name was expected");
      std::string name = read_string();
      want(':');
      value.members_.emplace_back(std::move(name), read_value());
    } while (take(','));
    want('}');
    return value;
  }

  Json read_array() {
    Json value;
    value.kind_ = Json::Kind::kArray;
    want('[');
    if (take(']')) return value;
    do value.items_.push_back(read_value());
    while (take(','));
    want(']');
    return value;
  }

  Json read_word() {
    const size_t begin = at_;
    while (at_ < text_.size() && !std::string_view(" \t\r\n,]}:").contains(text_[at_])) ++at_;
    Json value;
    value.text_ = text_.substr(begin, at_ - begin);
    if (value.text_ == "null") return value;
    if (value.text_ == "true" || value.text_ == "false") {
      value.kind_ = Json::Kind::kBoolean;
      return value;
    }
    double number = 0;
    const char* end = value.text_.data() + value.text_.size();
    if (auto [stop, error] = std::from_chars(value.text_.data(), end, number);
        error != std::errc() || stop != end)
      fail("neither a number nor true, false or null");
    value.kind_ = Json::Kind::kNumber;
    return value;
  }

  unsigned read_hex4() {
    unsigned code = 0;
    if (at_ + 4 > text_.size()) fail("a short \\u escape");
    const char* begin = text_.data() + at_;
    if (auto [stop, error] = std::from_chars(begin, begin + 4, code, 16); stop != begin + 4)
      fail("a wrong \\u escape");
    at_ += 4;
    return code;
  }

  void append_utf8(std::string& out, unsigned code) {
    if (code < 0x80) {
      out += static_cast<char>(code);
    } else if (code < 0x800) {
      out += static_cast<char>(0xc0 | (code >> 6));
      out += static_cast<char>(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
      out += static_cast<char>(0xe0 | (code >> 12));
      out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
      out += static_cast<char>(0x80 | (code & 0x3f));
    } else {
      out += static_cast<char>(0xf0 | (code >> 18));
      out += static_cast<char>(0x80 | ((code >> 12) & 0x3f));
      out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
      out += static_cast<char>(0x80 | (code & 0x3f));
    }
  }

  std::string read_string() {
    std::string out;
    want('"');
    while (true) {
      if (at_ == text_.size()) fail("a string without an end");
      const char c = text_[at_++];
      if (c == '"') return out;
      if (static_cast<unsigned char>(c) < 0x20) fail("a raw control character in a string");
      if (c != '\\') {
        out += c;
        continue;
      }
      if (at_ == text_.size()) fail("a string without an end");
      const char escape = text_[at_++];
      if (escape == 'u') {
        unsigned code = read_hex4();
        if (code >= 0xd800 && code < 0xdc00 && text_.substr(at_, 2) == "\\u") {
          at_ += 2;
          code = 0x10000 + ((code - 0xd800) << 10) + (read_hex4() - 0xdc00);
        }
        append_utf8(out, code);
      } else if (const size_t at = std::string_view("\"\\/bfnrt").find(escape);
                 at != std::string_view::npos) {
        out += "\"\\/\b\f\n\r\t"[at];
      } else {
        fail("an unknown escape");
      }
    }
  }

  std::string_view text_;
  size_t at_ = 0;
};

Json Json::parse(std::string_view text) { return JsonReader(text).document(); }

Json Json::string(std::string_view text) {
  Json value;
  value.kind_ = Kind::kString;
  value.text_ = text;
  return value;
}

Json Json::number(long long number) {
  Json value;
  value.kind_ = Kind::kNumber;
  value.text_ = std::to_string(number);
  return value;
}

Json Json::array(const std::vector<std::string>& strings) {
  Json value;
  value.kind_ = Kind::kArray;
  for (const std::string& each : strings) value.items_.push_back(string(each));
  return value;
}

long long Json::integer() const {
  long long value = 0;
  const char* end = text_.data() + text_.size();
  auto [stop, error] = std::from_chars(text_.data(), end, value);
  if (kind_ != Kind::kNumber || error != std::errc() || stop != end)
    throw JsonError("JSON: not a whole number: " + print());
  return value;
}

std::vector<std::string> Json::strings() const {
  std::vector<std::string> out;
  for (const Json& item : items_) out.push_back(item.text_);
  return out;
}

bool Json::has(std::string_view name) const {
  for (const Member& member : members_)
    if (member.first == name) return true;
  return false;
}

const Json& Json::operator[](std::string_view name) const {
  for (const Member& member : members_)
    if (member.first == name) return member.second;
  throw JsonError("JSON: no member \"" + std::string(name) + "\" in " + print());
}

namespace {

// Splits "a.b.c" into "a" and "b.c".
std::pair<std::string_view, std::string_view> split_first(std::string_view path) {
  const size_t dot = path.find('.');
  if (dot == std::string_view::npos) return {path, {}};
  return {path.substr(0, dot), path.substr(dot + 1)};
}

size_t position(std::string_view word) {
  size_t value = std::string::npos;
  std::from_chars(word.data(), word.data() + word.size(), value);
  return value;
}

}  // namespace

const Json* Json::find(std::string_view path) const {
  if (path.empty()) return this;
  auto [first, rest] = split_first(path);
  if (is_array()) {
    const size_t index = position(first);
    return index < items_.size() ? items_[index].find(rest) : nullptr;
  }
  return has(first) ? (*this)[first].find(rest) : nullptr;
}

Json& Json::make(std::string_view path) {
  if (path.empty()) return *this;
  auto [first, rest] = split_first(path);
  if (is_array()) {
    const size_t index = position(first);
    if (index >= items_.size()) throw JsonError("JSON: no item " + std::string(first));
    return items_[index].make(rest);
  }
  kind_ = Kind::kObject;
  for (Member& member : members_)
    if (member.first == first) return member.second.make(rest);
  members_.emplace_back(std::string(first), Json());
  return members_.back().second.make(rest);
}

void Json::set(std::string_view path, Json value) { make(path) = std::move(value); }

void Json::append(std::string_view path, Json value) {
  Json& list = make(path);
  list.kind_ = Kind::kArray;
  list.items_.push_back(std::move(value));
}

void Json::remove(std::string_view path) {
  const size_t dot = path.rfind('.');
  const std::string_view name = dot == std::string_view::npos ? path : path.substr(dot + 1);
  if (!find(path)) throw JsonError("JSON: nothing to remove at " + std::string(path));
  Json& parent = make(dot == std::string_view::npos ? std::string_view() : path.substr(0, dot));
  if (parent.is_array())
    parent.items_.erase(parent.items_.begin() + static_cast<long>(position(name)));
  else
    std::erase_if(parent.members_, [&](const Member& member) { return member.first == name; });
}

namespace {

void print_string(std::string& out, const std::string& text) {
  constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00";
      out += kHex[c >> 4];
      out += kHex[c & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace

void Json::print_to(std::string& out) const {
  const char* separator = "";
  switch (kind_) {
    case Kind::kString:
      print_string(out, text_);
      break;
    case Kind::kArray:
      out += '[';
      for (const Json& item : items_) {
        out += std::exchange(separator, ",");
        item.print_to(out);
      }
      out += ']';
      break;
    case Kind::kObject:
      out += '{';
      for (const Member& member : members_) {
        out += std::exchange(separator, ",");
        print_string(out, member.first);
        out += ':';
        member.second.print_to(out);
      }
      out += '}';
      break;
    default:
      out += text_;
  }
}

std::string Json::print() const {
  std::string out;
  print_to(out);
  return out;
}

}  // namespace harness
