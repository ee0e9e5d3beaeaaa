// The reader: yajl as a stream of events, and a stack of {table, struct, index} that they act on.
//
// yajl_tree would cost an allocation per value, loses integers above 2^63 and leaks on malformed
// input (CVE-2023-33460). The yajl_number callback gets the text of a number, so that 64-bit values
// of either sign survive exactly.
//
// No callback gets the position of its token. yajl_get_bytes_consumed() is the offset behind it;
// the offset behind the previous event, and a skip over blanks, commas and colons, is where it
// begins.
#include "oci-spec/json/reader.h"

#include <yajl/yajl_parse.h>

#include <algorithm>

#include "oci-spec/documents.h"
#include "oci-spec/json/memory.h"
#include "oci-spec/json/text.h"
#include "oci-spec/json/value.h"

namespace oci::json {
namespace {

using schema::Field;
using schema::Kind;
using schema::Type;

// An object, list or map that is being filled.
struct Frame {
  const Type* type = nullptr;
  void* value = nullptr;       // the struct, the std::vector or the oci::Map
  const Field* row = nullptr;  // object: the property being read, or nullptr for an unknown one;
                               // list and map: the property that they are the value of
  void* element = nullptr;     // map: the value under the key just read
  std::uint64_t seen = 0;      // object: bit per row that had a value
  std::size_t count = 0;       // list: elements begun
  std::size_t start = 0;       // offset of the opening bracket
};

class Reader {
 public:
  Reader(std::string_view text, std::string_view document, const Type& type, void* target)
      : text_(text), document_(document), root_type_(&type), root_(target) {}

  std::optional<Error> run();

 private:
  static int on_null(void* self) { return that(self).null(); }
  static int on_boolean(void* self, int value) { return that(self).boolean(value != 0); }
  static int on_number(void* self, const char* text, std::size_t size) {
    return that(self).number({text, size});
  }
  static int on_string(void* self, const unsigned char* text, std::size_t size) {
    return that(self).string({reinterpret_cast<const char*>(text), size});
  }
  static int on_start_map(void* self) { return that(self).open(Kind::kObject); }
  static int on_key(void* self, const unsigned char* text, std::size_t size) {
    return that(self).key({reinterpret_cast<const char*>(text), size});
  }
  static int on_end_map(void* self) { return that(self).close(); }
  static int on_start_array(void* self) { return that(self).open(Kind::kList); }
  static int on_end_array(void* self) { return that(self).close(); }
  static Reader& that(void* self) { return *static_cast<Reader*>(self); }

  bool null();
  bool boolean(bool value);
  bool number(std::string_view digits);
  bool string(std::string_view text);
  bool open(Kind kind);
  bool key(std::string_view name);
  bool close();

  // What the value that comes next has to be; nullptr when it is to be skipped.
  const Type* expected() const;
  const Field* rules() const { return depth_ == 0 ? nullptr : top().row; }
  // Makes room for the value that expected() described.
  void* store();
  // The object that the property was given before, under this or another spelling of its name.
  void* earlier() const;
  // Every event ends with one of the two.
  bool done();
  bool fail(std::string text) { return fail_at(start_of_token(), std::move(text)); }
  bool fail_at(std::size_t offset, std::string text);
  bool mismatch(const Type& type, std::string_view found);
  bool store_integer(const Type& type, std::string_view digits);
  bool acceptable_text(std::string_view text);

  std::size_t start_of_token() const;
  std::string path() const;
  Error syntax_error(yajl_handle handle, bool at_end) const;

  Frame& top() { return stack_[depth_ - 1]; }
  const Frame& top() const { return stack_[depth_ - 1]; }

  std::string_view text_;
  std::string_view document_;
  const Type* root_type_;
  void* root_;
  yajl_handle handle_ = nullptr;
  std::size_t behind_last_ = 0;  // offset behind the previous event's token
  unsigned depth_ = 0;           // frames in use
  unsigned skipped_ = 0;         // brackets open inside of an unknown property
  std::optional<Error> error_;
  Frame stack_[kMaxDepth];
};

std::optional<Error> Reader::run() {
  const auto whole = [&](std::size_t offset, std::string reason) {
    const Place place = place_of(text_, offset);
    return Error{std::string(document_), place.line, place.column, "", std::move(reason)};
  };
  if (text_.size() > kMaxDocumentSize) {
    return Error{std::string(document_), 0, 0, "",
                 "the document has " + decimal(text_.size()) + " bytes, more than the limit of " +
                     decimal(kMaxDocumentSize)};
  }
  if (text_.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return whole(0, "the document is empty, expected a JSON object");
  }
  if (const std::size_t bad = find_invalid_utf8(text_); bad != std::string_view::npos) {
    return whole(bad, "the text is not valid UTF-8");
  }

  static constexpr yajl_callbacks kCallbacks = {
      .yajl_null = on_null,
      .yajl_boolean = on_boolean,
      .yajl_integer = nullptr,
      .yajl_double = nullptr,
      .yajl_number = on_number,
      .yajl_string = on_string,
      .yajl_start_map = on_start_map,
      .yajl_map_key = on_key,
      .yajl_end_map = on_end_map,
      .yajl_start_array = on_start_array,
      .yajl_end_array = on_end_array,
  };
  handle_ = yajl_alloc(&kCallbacks, memory(), this);
  yajl_config(handle_, yajl_dont_validate_strings, 1);  // done above, and more strictly

  yajl_status status =
      yajl_parse(handle_, reinterpret_cast<const unsigned char*>(text_.data()), text_.size());
  bool at_end = false;
  if (status == yajl_status_ok) {
    at_end = true;
    status = yajl_complete_parse(handle_);
  }
  if (status == yajl_status_error && !error_) error_ = syntax_error(handle_, at_end);
  yajl_free(handle_);
  return std::move(error_);
}

const Type* Reader::expected() const {
  if (depth_ == 0) return root_type_;
  const Frame& frame = top();
  if (frame.type->kind != Kind::kObject) return frame.type->element;
  return frame.row != nullptr ? &frame.row->type() : nullptr;
}

void* Reader::store() {
  if (depth_ == 0) return root_;
  Frame& frame = top();
  switch (frame.type->kind) {
    case Kind::kObject:
      frame.seen |= std::uint64_t{1} << (frame.row - frame.type->rows.data());
      return frame.row->open(frame.value, true);
    case Kind::kList:
      return frame.type->append(frame.value, {});
    default:
      return frame.element;
  }
}

void* Reader::earlier() const {
  if (depth_ == 0 || top().type->kind != Kind::kObject) return nullptr;
  const Frame& frame = top();
  if ((frame.seen >> (frame.row - frame.type->rows.data()) & 1) == 0) return nullptr;
  return const_cast<void*>(frame.row->get(frame.value));
}

bool Reader::done() {
  behind_last_ = yajl_get_bytes_consumed(handle_);
  return true;
}

std::size_t Reader::start_of_token() const {
  const std::size_t start = text_.find_first_not_of(" \t\r\n,:", behind_last_);
  return start == std::string_view::npos ? text_.size() : start;
}

std::string Reader::path() const {
  std::string path;
  for (unsigned i = 0; i < depth_; ++i) {
    const Frame& frame = stack_[i];
    if (frame.type->kind == Kind::kObject) {
      if (frame.row != nullptr) append_member(path, frame.row->name());
    } else if (frame.type->kind == Kind::kList) {
      append_index(path, frame.count);
    } else if (const std::size_t size = frame.type->size(frame.value); size != 0) {
      append_key(path, frame.type->key(frame.value, size - 1));
    }
  }
  return path;
}

bool Reader::fail_at(std::size_t offset, std::string text) {
  const Place place = place_of(text_, offset);
  error_ = Error{std::string(document_), place.line, place.column, path(), std::move(text)};
  return false;
}

bool Reader::mismatch(const Type& type, std::string_view found) {
  return fail("expected " + description_of(type) + ", found " + std::string(found));
}

bool Reader::null() {
  const Type* type = skipped_ == 0 ? expected() : nullptr;
  if (type == nullptr) return done();
  // Go programs write null for an empty slice or map: the property is absent. An element cannot be.
  if (depth_ == 0 || top().type->kind != Kind::kObject) return mismatch(*type, "null");
  Frame& frame = top();
  if (frame.row->rules().required) return mismatch(*type, "null");
  // Go leaves what is no pointer, slice or map as an earlier member of the name has set it: texts,
  // booleans but for three of memory's, and numbers that are not optional here.
  if (type->kind < Kind::kObject && (type->kind != Kind::kInteger || !frame.row->optional()))
    return done();
  frame.row->open(frame.value, false);
  frame.seen &= ~(std::uint64_t{1} << (frame.row - frame.type->rows.data()));
  return done();
}

bool Reader::boolean(bool value) {
  const Type* type = skipped_ == 0 ? expected() : nullptr;
  if (type == nullptr) return done();
  if (type->kind != Kind::kBoolean) return mismatch(*type, value ? "true" : "false");
  *static_cast<bool*>(store()) = value;
  if (top().type->kind == Kind::kList) ++top().count;
  return done();
}

bool Reader::number(std::string_view digits) {
  const Type* type = skipped_ == 0 ? expected() : nullptr;
  if (type == nullptr) return done();
  if (type->kind != Kind::kInteger) return mismatch(*type, digits.substr(0, 40));
  if (!store_integer(*type, digits)) return false;
  if (top().type->kind == Kind::kList) ++top().count;
  return done();
}

bool Reader::store_integer(const Type& type, std::string_view digits) {
  const std::string_view found = digits.substr(0, 40);
  if (digits.find_first_of(".eE") != std::string_view::npos) return mismatch(type, found);
  const Bounds bounds = bounds_of(type, rules());
  const std::optional<std::uint64_t> bits = parse_integer(digits, bounds);
  if (!bits) {
    return fail("expected an integer from " + decimal(bounds.minimum) + " to " +
                decimal(bounds.maximum) + ", found " + std::string(found));
  }
  store_bits(store(), type.width, *bits);
  return true;
}

// Paths, arguments and names end at their first NUL for the kernel, so that a text with one would
// mean two things. A lone surrogate has no UTF-8 form; yajl turns it into something else.
bool Reader::acceptable_text(std::string_view text) {
  if (text.contains('\0')) return fail("a string must not contain \\u0000");
  if (text.data() >= text_.data() && text.data() <= text_.data() + text_.size()) return true;
  // The text had escapes: look at the raw token.
  const std::size_t begin = start_of_token() + 1;
  const std::size_t end = yajl_get_bytes_consumed(handle_) - 1;
  if (has_lone_surrogate(text_.substr(begin, end - begin))) {
    return fail("a string has half of a surrogate pair");
  }
  return true;
}

bool Reader::string(std::string_view text) {
  const Type* type = skipped_ == 0 ? expected() : nullptr;
  if (type == nullptr) return done();
  if (type->kind != Kind::kString && type->kind != Kind::kEnumeration) {
    return mismatch(*type, quoted(text));
  }
  if (!acceptable_text(text)) return false;
  // For every Go writer an empty string and an absent one are the same.
  if (text.empty() && top().type->kind == Kind::kObject && top().row->optional()) {
    top().row->open(top().value, false);
    return done();
  }
  if (type->kind == Kind::kEnumeration) {
    const std::size_t index = oci::detail::index_of(type->names, text);
    if (index == type->names.size()) return mismatch(*type, quoted(text));
    *static_cast<std::uint8_t*>(store()) = static_cast<std::uint8_t>(index);
  } else {
    const schema::Pattern* pattern = rules() != nullptr ? rules()->rules().pattern : nullptr;
    if (pattern != nullptr && !pattern->matches(text)) {
      return fail("expected " + std::string(pattern->description) + ", found " + quoted(text));
    }
    static_cast<std::string*>(store())->assign(text);
  }
  if (top().type->kind == Kind::kList) ++top().count;
  return done();
}

bool Reader::open(Kind kind) {
  if (depth_ + skipped_ >= kMaxDepth) {
    return fail("the document is nested deeper than " + decimal(kMaxDepth) + " levels");
  }
  const Type* type = skipped_ == 0 ? expected() : nullptr;
  if (type == nullptr) {
    ++skipped_;
    return done();
  }
  const bool matches = kind == Kind::kList
                           ? type->kind == Kind::kList
                           : type->kind == Kind::kObject || type->kind == Kind::kMap;
  if (!matches) return mismatch(*type, kind == Kind::kList ? "a list" : "an object");
  Frame frame;
  frame.type = type;
  frame.start = start_of_token();
  if (type->kind != Kind::kObject) frame.row = rules();
  // Go's reader, by which runc and engines read, goes on with an object that was there: what the
  // later one does not name stays. All of it counts as seen, since the earlier one was complete.
  frame.value = kind == Kind::kObject ? earlier() : nullptr;
  if (frame.value != nullptr) {
    frame.seen = ~std::uint64_t{0};
  } else {
    frame.value = store();
  }
  stack_[depth_++] = frame;
  return done();
}

bool Reader::key(std::string_view name) {
  if (skipped_ != 0) return done();
  Frame& frame = top();
  if (frame.type->kind == Kind::kMap) {
    if (!acceptable_text(name)) return false;
    frame.element = frame.type->append(frame.value, name);
    return done();
  }
  // Writers keep the order of the specification, and so do the rows: begin behind the last one.
  const std::span<const Field> rows = frame.type->rows;
  std::size_t i = frame.count;
  frame.row = nullptr;
  for (std::size_t tried = 0; tried < rows.size(); ++tried, ++i) {
    if (i >= rows.size()) i = 0;
    if (rows[i].name() != name) continue;
    frame.row = &rows[i];
    frame.count = i + 1;
    return done();
  }
  // Documents that were written for runc may say "CPU": Go's reader takes names in any case. Not
  // to take them would leave out a limit without a word.
  const auto same = std::ranges::find_if(
      rows, [&](const Field& row) { return equal_in_any_case(row.name(), name); });
  if (same != rows.end()) frame.row = &*same;
  return done();
}

bool Reader::close() {
  if (skipped_ != 0) {
    --skipped_;
    return done();
  }
  const Frame frame = top();
  if (frame.type->kind == Kind::kObject) {
    top().row = nullptr;
    const std::span<const Field> rows = frame.type->rows;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (!rows[i].rules().required || (frame.seen >> i & 1)) continue;
      top().row = &rows[i];
      return fail_at(frame.start, "required, but missing");
    }
  } else if (frame.type->kind == Kind::kMap) {
    drop_duplicates(*frame.type, frame.value);
  } else if (frame.row != nullptr && frame.count < frame.row->rules().min_items) {
    --depth_;
    return fail_at(frame.start,
                   "must have at least " + decimal(frame.row->rules().min_items) + " element");
  }
  --depth_;
  if (depth_ != 0 && top().type->kind == Kind::kList) ++top().count;
  return done();
}

Error Reader::syntax_error(yajl_handle handle, bool at_end) const {
  std::string reason = "not valid JSON";
  std::size_t offset = text_.size();
  if (at_end) {
    reason += ": the text ends before the document does";
  } else {
    unsigned char* message = yajl_get_error(
        handle, 0, reinterpret_cast<const unsigned char*>(text_.data()), text_.size());
    if (message != nullptr) {
      std::string_view text = reinterpret_cast<const char*>(message);
      while (!text.empty() && (text.back() == '\n' || text.back() == '.')) text.remove_suffix(1);
      if (const std::size_t colon = text.find(": "); colon != std::string_view::npos) {
        text.remove_prefix(colon + 2);
      }
      reason += ": ";
      reason += text;
      yajl_free_error(handle, message);
    }
    offset = start_of_bad_token(text_, behind_last_, yajl_get_bytes_consumed(handle));
  }
  const Place place = place_of(text_, offset);
  return Error{std::string(document_), place.line, place.column, path(), std::move(reason)};
}

}  // namespace

std::optional<Error> read(std::string_view text, std::string_view document,
                          const schema::Type& type, void* target) {
  return Reader(text, document, type, target).run();
}

}  // namespace oci::json
