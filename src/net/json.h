// JSON of which we know a part only: configurations and results of CNI plugins, which are read, get
// a member more, and are handed on with everything else as it was. What is known as a whole has
// rows instead (oci-spec/schema/field.h).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/result.h"

namespace ocirt::net {

struct Json {
  enum class Kind { kNull, kBoolean, kNumber, kString, kList, kObject } kind = Kind::kNull;
  std::string text = {};         // a string, the digits of a number as they were, "true", "false"
  std::vector<Json> items = {};  // of a list
  std::vector<std::pair<std::string, Json>> members = {};  // of an object, in their order

  static Json string(std::string_view text) { return {Kind::kString, std::string(text), {}, {}}; }
  static Json number(uint32_t number) { return {Kind::kNumber, std::to_string(number), {}, {}}; }
  static Json object() { return {Kind::kObject, {}, {}, {}}; }
  static Json list() { return {Kind::kList, {}, {}, {}}; }

  // The member, or null (also when this is no object).
  const Json* find(std::string_view name) const;
  // The member's text when it is a string, else nothing.
  std::string_view text_of(std::string_view name) const;
  bool is_true(std::string_view name) const;
  // Replaces or adds a member of an object.
  void set(std::string_view name, Json value);
};

// One value. Errors name the place.
Result<Json> parse_json(std::string_view text);
// On one line.
std::string write_json(const Json& value);

}  // namespace ocirt::net
