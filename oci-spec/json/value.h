// Single values on their way from JSON text to C++: the parts of the reader that need no position.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "oci-spec/schema/field.h"

namespace oci::json {

// What a value of `type` has to be: "an integer", "one of ipc, pid, ...".
std::string description_of(const schema::Type& type);

// The range of an integer: that of its C++ type, narrowed by the rules of its row (if any).
struct Bounds {
  std::int64_t minimum = 0;
  std::uint64_t maximum = 0;
  bool is_signed = false;
};
Bounds bounds_of(const schema::Type& type, const schema::Field* row);

// The number as 64 bits (two's complement when negative), or nothing when it is out of bounds.
// `digits` is a JSON number without fraction and exponent.
std::optional<std::uint64_t> parse_integer(std::string_view digits, const Bounds& bounds);

// Stores the low `width` bytes (1, 2, 4 or 8) of a value as an integer of that width.
void store_bits(void* target, unsigned width, std::uint64_t bits);

// Does the raw text of a JSON string (without its quotation marks) escape half of a surrogate pair?
bool has_lone_surrogate(std::string_view raw);

// Of entries with equal names only the last stays. `type` is of Kind::kMap.
void drop_duplicates(const schema::Type& type, void* map);

std::string decimal(auto value) {
  char digits[24];
  const auto [end, error] = std::to_chars(digits, digits + sizeof(digits), value);
  return error == std::errc{} ? std::string(digits, end) : std::string();
}

}  // namespace oci::json
