// Integers are decoded from their text by the type they go to: a double in between would round
// 18446744073709551615, and yajl's own integers end at 2^63.
#include "oci-spec/json/value.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <vector>

namespace oci::json {

std::string description_of(const schema::Type& type) {
  using schema::Kind;
  switch (type.kind) {
    case Kind::kBoolean:
      return "true or false";
    case Kind::kInteger:
      return "an integer";
    case Kind::kString:
      return "a string";
    case Kind::kList:
      return "a list";
    case Kind::kObject:
    case Kind::kMap:
      return "an object";
    case Kind::kEnumeration:
      break;
  }
  std::string text = "one of ";
  for (std::size_t i = 0; i < type.names.size(); ++i) {
    if (i != 0) text += ", ";
    text += type.names[i];
  }
  return text;
}

Bounds bounds_of(const schema::Type& type, const schema::Field* row) {
  Bounds bounds;
  bounds.is_signed = type.is_signed;
  bounds.maximum = ~std::uint64_t{0} >> (64 - type.width * 8u);
  if (type.is_signed) {
    bounds.maximum >>= 1;
    bounds.minimum = -static_cast<std::int64_t>(bounds.maximum) - 1;
  }
  if (row != nullptr) {
    bounds.minimum = std::max(bounds.minimum, row->rules().minimum);
    bounds.maximum = std::min(bounds.maximum, row->rules().maximum);
  }
  return bounds;
}

std::optional<std::uint64_t> parse_integer(std::string_view digits, const Bounds& bounds) {
  const char* const end = digits.data() + digits.size();
  if (digits.starts_with('-')) {
    std::int64_t value = 0;
    const auto [rest, code] = std::from_chars(digits.data(), end, value);
    if (code != std::errc{} || rest != end || value < bounds.minimum) return {};
    if (!bounds.is_signed) return {};  // "-0" is no unsigned integer for other readers either
    return static_cast<std::uint64_t>(value);
  }
  std::uint64_t value = 0;
  const auto [rest, code] = std::from_chars(digits.data(), end, value);
  if (code != std::errc{} || rest != end || value > bounds.maximum) return {};
  if (bounds.minimum > 0 && value < static_cast<std::uint64_t>(bounds.minimum)) return {};
  return value;
}

void store_bits(void* target, unsigned width, std::uint64_t bits) {
  const auto store = [&](auto value) { std::memcpy(target, &value, sizeof(value)); };
  switch (width) {
    case 1:
      return store(static_cast<std::uint8_t>(bits));
    case 2:
      return store(static_cast<std::uint16_t>(bits));
    case 4:
      return store(static_cast<std::uint32_t>(bits));
    default:
      return store(bits);
  }
}

bool has_lone_surrogate(std::string_view raw) {
  const auto code_unit = [&](std::size_t at) {
    unsigned value = 0;
    if (at + 6 <= raw.size() && raw[at] == '\\' && raw[at + 1] == 'u') {
      std::from_chars(raw.data() + at + 2, raw.data() + at + 6, value, 16);
    }
    return value;
  };
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '\\') continue;
    const unsigned unit = code_unit(i);
    if (unit >= 0xD800 && unit <= 0xDBFF) {
      const unsigned next = code_unit(i + 6);
      if (next < 0xDC00 || next > 0xDFFF) return true;
      i += 11;
    } else if (unit >= 0xDC00 && unit <= 0xDFFF) {
      return true;
    } else {
      ++i;  // the escaped character, which may be a backslash
    }
  }
  return false;
}

// Sorted, since a hostile document may have a million names.
void drop_duplicates(const schema::Type& type, void* map) {
  std::vector<std::size_t> order(type.size(map));
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const int compared = type.key(map, a).compare(type.key(map, b));
    return compared != 0 ? compared < 0 : a < b;
  });
  std::vector<bool> dropped(order.size());
  bool any = false;
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (type.key(map, order[i - 1]) != type.key(map, order[i])) continue;
    dropped[order[i - 1]] = true;
    any = true;
  }
  if (any) type.remove(map, dropped);
}

}  // namespace oci::json
