// The field decides what a scalar means. A text takes what is written, quoted or not; a number and
// a truth value must not be quoted, and are read as YAML 1.1 has them where that is not a trap: an
// octal mode may be 0644 or 0o644, but `yes` and `on` are no truth values.
#include "src/podfile/reader.h"

#include <algorithm>

#include "oci-spec/json/text.h"
#include "oci-spec/json/value.h"
#include "src/base/text.h"
#include "src/podfile/rows.h"

namespace ocirt::podfile {
namespace {

using oci::schema::Field;
using oci::schema::Kind;
using oci::schema::Type;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// Edits (insert, delete, replace) from one name to the other, without regard to case.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (lower(a[i - 1]) != lower(b[j - 1]) ? 1 : 0);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

// A field without a row is a stranger's text, in which anything may be, a newline as well.
void append_unknown(std::string& path, std::string_view name) {
  const auto is_plain = [](char c) {
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || c == '_' || c == '-';
  };
  if (!name.empty() && name.size() <= 80 && std::ranges::all_of(name, is_plain)) {
    oci::json::append_member(path, name);
  } else {
    oci::json::append_key(path, name);
  }
}

// The decimal digits of what YAML takes for an integer; empty when it is none.
std::string decimal_digits(std::string_view text) {
  const bool negative = text.starts_with('-');
  std::string_view digits = text;
  if (negative || text.starts_with('+')) digits.remove_prefix(1);
  int base = 10;
  if (digits.starts_with("0x")) {
    base = 16;
    digits.remove_prefix(2);
  } else if (digits.starts_with("0o")) {
    base = 8;
    digits.remove_prefix(2);
  } else if (digits.size() > 1 && digits.starts_with('0')) {
    base = 8;
    digits.remove_prefix(1);
  }
  const std::optional<uint64_t> value = to_number<uint64_t>(digits, base);
  if (!value) return {};
  return cat(negative && *value != 0 ? "-" : "", *value);
}

class Reader {
 public:
  Reader(std::string_view document, const ReadOptions& options)
      : document_(document), options_(options) {}

  // `row` is the field that the value belongs to, of a list also for its elements.
  bool read(const Node& node, const Type& type, const Field* row, void* target);
  std::optional<oci::Error> take_error() { return std::move(error_); }

 private:
  bool read_object(const Node& node, const Type& type, void* target);
  bool read_list(const Node& node, const Type& type, const Field* row, void* target);
  bool read_map(const Node& node, const Type& type, void* target);
  bool read_integer(const Node& node, const Type& type, const Field* row, void* target);
  bool read_boolean(const Node& node, void* target);
  bool unknown(const Node& member, const Type& type);
  bool mismatch(const Node& node, const Type& type);
  bool fail(Place place, std::string text) {
    error_ = oci::Error{std::string(document_), place.line, place.column, path_, std::move(text)};
    return false;
  }

  std::string_view document_;
  const ReadOptions& options_;
  std::string path_;
  std::optional<oci::Error> error_;
};

bool Reader::mismatch(const Node& node, const Type& type) {
  std::string found;
  switch (node.kind) {
    case Node::Kind::kNull:
      found = "nothing";
      break;
    case Node::Kind::kScalar:
      found = oci::json::quoted(node.text);
      if (!node.plain && (type.kind == Kind::kInteger || type.kind == Kind::kBoolean)) {
        found = cat("the text ", found, "; leave out the quotes");
      }
      break;
    case Node::Kind::kList:
      found = "a list";
      break;
    case Node::Kind::kMap:
      found = "a map";
      break;
  }
  std::string expected = oci::json::description_of(type);
  if (type.kind == Kind::kObject || type.kind == Kind::kMap) expected = "a map";
  if (type.kind == Kind::kString) expected = "a text";
  return fail(node.place, cat("expected ", expected, ", found ", found));
}

bool Reader::read(const Node& node, const Type& type, const Field* row, void* target) {
  const bool scalar = node.kind == Node::Kind::kScalar;
  switch (type.kind) {
    case Kind::kObject:
      return node.kind == Node::Kind::kMap ? read_object(node, type, target) : mismatch(node, type);
    case Kind::kList:
      return node.kind == Node::Kind::kList ? read_list(node, type, row, target)
                                            : mismatch(node, type);
    case Kind::kMap:
      return node.kind == Node::Kind::kMap ? read_map(node, type, target) : mismatch(node, type);
    case Kind::kString:
      if (!scalar) return mismatch(node, type);
      *static_cast<std::string*>(target) = node.text;
      return true;
    case Kind::kEnumeration: {
      const size_t index = scalar ? oci::detail::index_of(type.names, node.text) : 0;
      if (!scalar || index == type.names.size()) return mismatch(node, type);
      *static_cast<uint8_t*>(target) = static_cast<uint8_t>(index);
      return true;
    }
    case Kind::kInteger:
      return read_integer(node, type, row, target);
    case Kind::kBoolean:
      return read_boolean(node, target) || mismatch(node, type);
  }
  return false;
}

bool Reader::read_boolean(const Node& node, void* target) {
  if (node.kind != Node::Kind::kScalar || !node.plain) return false;
  const bool is_true = node.text == "true" || node.text == "True" || node.text == "TRUE";
  const bool is_false = node.text == "false" || node.text == "False" || node.text == "FALSE";
  *static_cast<bool*>(target) = is_true;
  return is_true || is_false;
}

bool Reader::read_integer(const Node& node, const Type& type, const Field* row, void* target) {
  if (node.kind != Node::Kind::kScalar || !node.plain) return mismatch(node, type);
  const std::string digits = decimal_digits(node.text);
  if (digits.empty()) return mismatch(node, type);
  const oci::json::Bounds bounds = oci::json::bounds_of(type, row);
  const std::optional<uint64_t> bits = oci::json::parse_integer(digits, bounds);
  if (!bits) {
    return fail(node.place, cat("expected an integer from ", bounds.minimum, " to ", bounds.maximum,
                                ", found ", node.text.substr(0, 40)));
  }
  oci::json::store_bits(target, type.width, *bits);
  return true;
}

bool Reader::read_list(const Node& node, const Type& type, const Field* row, void* target) {
  const size_t length = path_.size();
  for (size_t i = 0; i < node.items.size(); ++i) {
    oci::json::append_index(path_, i);
    if (!read(node.items[i], *type.element, row, type.append(target, {}))) return false;
    path_.resize(length);
  }
  if (row != nullptr && node.items.size() < row->rules().min_items) {
    return fail(node.place, "must not be empty");
  }
  return true;
}

bool Reader::read_map(const Node& node, const Type& type, void* target) {
  const size_t length = path_.size();
  for (const Node& member : node.items) {
    oci::json::append_key(path_, member.name);
    if (!read(member, *type.element, nullptr, type.append(target, member.name))) return false;
    path_.resize(length);
  }
  return true;
}

// For every Go writer an empty text is the same as none: clusters write `type: ""`.
bool says_nothing(const Node& member, const Field& row) {
  if (member.kind == Node::Kind::kNull) return true;
  const bool is_text = row.type().kind == Kind::kString || row.type().kind == Kind::kEnumeration;
  return is_text && !row.rules().required && member.kind == Node::Kind::kScalar &&
         member.text.empty();
}

bool Reader::read_object(const Node& node, const Type& type, void* target) {
  const size_t length = path_.size();
  uint64_t seen = 0;
  for (const Node& member : node.items) {
    const auto row = std::find_if(type.rows.begin(), type.rows.end(),
                                  [&](const Field& field) { return field.name() == member.name; });
    if (row == type.rows.end()) {
      append_unknown(path_, member.name);
      if (!unknown(member, type)) return false;
    } else if (!says_nothing(member, *row)) {
      oci::json::append_member(path_, row->name());
      seen |= uint64_t{1} << (row - type.rows.begin());
      if (!read(member, row->type(), &*row, row->open(target, true))) return false;
    }
    path_.resize(length);
  }
  for (size_t i = 0; i < type.rows.size(); ++i) {
    const Field& row = type.rows[i];
    if (!row.rules().required || (seen >> i & 1) != 0) continue;
    oci::json::append_member(path_, row.name());
    return fail(node.place, "required, but missing");
  }
  return true;
}

bool Reader::unknown(const Node& member, const Type& type) {
  if (asks_for_nothing(type, member)) return true;
  std::string text;
  if (const auto why = why_refused(type, member.name)) {
    text = cat("cannot be honoured: ", *why);
  } else {
    text = "unknown field";
    const std::string_view near = nearest_name(type.rows, member.name);
    if (!near.empty()) text += cat("; did you mean ", near, "?");
  }
  fail(member.name_place, std::move(text));
  if (!options_.ignore_unknown) return false;
  if (options_.ignored != nullptr) options_.ignored->push_back(error_->message());
  error_.reset();
  return true;
}

}  // namespace

std::string_view nearest_name(std::span<const Field> rows, std::string_view field) {
  std::string_view nearest;
  size_t least = 3;  // more edits than two make another word
  if (field.size() < 4) least = 2;
  if (field.size() > 64) return {};
  for (const Field& row : rows) {
    const size_t edits = distance(field, row.name());
    if (edits >= least) continue;
    least = edits;
    nearest = row.name();
  }
  return nearest;
}

std::optional<oci::Error> read_tree(const Node& root, std::string_view document, const Type& type,
                                    void* target, const ReadOptions& options) {
  Reader reader(document, options);
  (void)reader.read(root, type, nullptr, target);
  return reader.take_error();
}

}  // namespace ocirt::podfile
