// A JSON value that tests can parse, edit by path and print. It is deliberately not the parser of
// the product: a conformance test must not inherit the mistakes of what it judges.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace harness {

// Thrown for text that is not JSON and for members that are absent; the message names the place.
struct JsonError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Json {
 public:
  enum class Kind { kNull, kBoolean, kNumber, kString, kArray, kObject };
  using Member = std::pair<std::string, Json>;

  Json() = default;

  // The whole text must be one JSON value (RFC 8259, no extensions).
  static Json parse(std::string_view text);
  static Json string(std::string_view text);
  static Json number(long long value);
  static Json array(const std::vector<std::string>& strings);

  Kind kind() const { return kind_; }
  bool is_array() const { return kind_ == Kind::kArray; }
  bool is_object() const { return kind_ == Kind::kObject; }
  bool is_string() const { return kind_ == Kind::kString; }
  bool is_true() const { return kind_ == Kind::kBoolean && text_ == "true"; }

  // The characters of a string, the digits of a number, "true", "false" or "null".
  const std::string& text() const { return text_; }
  // Throws JsonError unless this is a whole number.
  long long integer() const;

  size_t size() const { return is_object() ? members_.size() : items_.size(); }
  const std::vector<Json>& items() const { return items_; }
  const std::vector<Member>& members() const { return members_; }
  // The strings of an array of strings.
  std::vector<std::string> strings() const;

  // A member of an object by its literal name (which may contain dots); throws when absent.
  const Json& operator[](std::string_view name) const;
  bool has(std::string_view name) const;

  // Paths join member names and array positions with dots: "mounts.0.options".
  const Json* find(std::string_view path) const;
  // Makes objects for what is missing on the way, then stores the value.
  void set(std::string_view path, Json value);
  // Adds to the array at `path`, which is made when missing.
  void append(std::string_view path, Json value);
  // Removing what is absent is an error: the test would not test what it says.
  void remove(std::string_view path);

  std::string print() const;

 private:
  friend class JsonReader;
  Json& make(std::string_view path);
  void print_to(std::string& out) const;

  Kind kind_ = Kind::kNull;
  std::string text_ = "null";
  std::vector<Json> items_;
  std::vector<Member> members_;
};

}  // namespace harness
