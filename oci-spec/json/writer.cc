// The writer walks the same rows as the reader. Integers go through yajl_gen_number, since
// yajl_gen_integer takes a signed 64-bit number and limits may be 18446744073709551615.
#include "oci-spec/json/writer.h"

#include <yajl/yajl_gen.h>

#include <charconv>
#include <cstring>

#include "oci-spec/json/memory.h"
#include "oci-spec/json/text.h"

namespace oci::json {
namespace {

using schema::Field;
using schema::Kind;
using schema::Type;

void append(void* out, const char* text, std::size_t size) {
  static_cast<std::string*>(out)->append(text, size);
}

void write_string(yajl_gen gen, std::string_view text) {
  std::string repaired;
  if (find_invalid_utf8(text) != std::string_view::npos) {
    repaired = replace_invalid_utf8(text);
    text = repaired;
  }
  yajl_gen_string(gen, reinterpret_cast<const unsigned char*>(text.data()), text.size());
}

template <class T>
T load(const void* address) {
  T value;
  std::memcpy(&value, address, sizeof(value));
  return value;
}

void write_integer(yajl_gen gen, const Type& type, const void* value) {
  char digits[24];
  std::to_chars_result written{digits, std::errc{}};
  const auto print = [&](auto number) {
    written = std::to_chars(digits, digits + sizeof(digits), number);
  };
  switch (type.width) {
    case 1:
      type.is_signed ? print(int{load<std::int8_t>(value)}) : print(load<std::uint8_t>(value));
      break;
    case 2:
      type.is_signed ? print(load<std::int16_t>(value)) : print(load<std::uint16_t>(value));
      break;
    case 4:
      type.is_signed ? print(load<std::int32_t>(value)) : print(load<std::uint32_t>(value));
      break;
    default:
      type.is_signed ? print(load<std::int64_t>(value)) : print(load<std::uint64_t>(value));
  }
  yajl_gen_number(gen, digits, static_cast<std::size_t>(written.ptr - digits));
}

void write_value(yajl_gen gen, const Type& type, const void* value);

// An absent value is left out, and so is what a reader takes for absent: an empty optional string
// and an empty list or map. A std::optional list is written when it is empty: there the two differ.
bool is_written(const Field& row, const void* value) {
  if (value == nullptr) return false;
  switch (row.type().kind) {
    case Kind::kString:
      return !row.optional() || !static_cast<const std::string*>(value)->empty();
    case Kind::kList:
    case Kind::kMap:
      return row.optional() || row.rules().required || row.type().size(value) != 0;
    default:
      return true;
  }
}

void write_rows(yajl_gen gen, const Type& type, const void* value) {
  for (const Field& row : type.rows) {
    const void* member = row.get(value);
    if (!is_written(row, member)) continue;
    write_string(gen, row.name());
    write_value(gen, row.type(), member);
  }
}

void write_value(yajl_gen gen, const Type& type, const void* value) {
  switch (type.kind) {
    case Kind::kBoolean:
      yajl_gen_bool(gen, *static_cast<const bool*>(value));
      break;
    case Kind::kInteger:
      write_integer(gen, type, value);
      break;
    case Kind::kString:
      write_string(gen, *static_cast<const std::string*>(value));
      break;
    case Kind::kEnumeration: {
      const std::size_t index = load<std::uint8_t>(value);
      write_string(gen, index < type.names.size() ? type.names[index] : "?");
      break;
    }
    case Kind::kObject:
      yajl_gen_map_open(gen);
      write_rows(gen, type, value);
      yajl_gen_map_close(gen);
      break;
    case Kind::kList:
      yajl_gen_array_open(gen);
      for (std::size_t i = 0; i < type.size(value); ++i) {
        write_value(gen, *type.element, type.element_at(value, i));
      }
      yajl_gen_array_close(gen);
      break;
    case Kind::kMap:
      yajl_gen_map_open(gen);
      for (std::size_t i = 0; i < type.size(value); ++i) {
        write_string(gen, type.key(value, i));
        write_value(gen, *type.element, type.element_at(value, i));
      }
      yajl_gen_map_close(gen);
      break;
  }
}

}  // namespace

std::string write(const Type& type, const void* value, bool pretty, const Map<std::string>& more) {
  std::string out;
  yajl_gen gen = yajl_gen_alloc(memory());
  yajl_gen_config(gen, yajl_gen_print_callback, append, &out);
  yajl_gen_config(gen, yajl_gen_beautify, pretty ? 1 : 0);
  yajl_gen_config(gen, yajl_gen_indent_string, "  ");
  yajl_gen_map_open(gen);
  write_rows(gen, type, value);
  for (const auto& [name, text] : more) {
    write_string(gen, name);
    write_string(gen, text);
  }
  yajl_gen_map_close(gen);
  yajl_gen_free(gen);
  if (pretty && !out.ends_with('\n')) out += '\n';
  return out;
}

}  // namespace oci::json
