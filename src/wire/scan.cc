#include "src/wire/scan.h"

#include <cstdint>
#include <optional>

#include "src/base/text.h"

namespace ocirt::wire {
namespace {

enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kLengthDelimited = 2, kFixed32 = 5 };

struct Scanner {
  std::string_view rest;
  size_t* fields;

  std::optional<uint64_t> varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !rest.empty(); shift += 7) {
      const auto byte = static_cast<uint8_t>(rest.front());
      rest.remove_prefix(1);
      value |= uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
    return std::nullopt;
  }

  std::optional<std::string_view> bytes(uint64_t count) {
    if (count > rest.size()) return std::nullopt;
    const std::string_view taken = rest.substr(0, count);
    rest.remove_prefix(count);
    return taken;
  }

  // The content of a field; empty for numbers.
  std::optional<std::string_view> value(uint32_t wire_type) {
    switch (wire_type) {
      case kVarint:
        return varint() ? std::optional(std::string_view()) : std::nullopt;
      case kFixed64:
        return bytes(8);
      case kFixed32:
        return bytes(4);
      case kLengthDelimited:
        if (auto length = varint()) return bytes(*length);
        return std::nullopt;
      default:  // groups are of another century
        return std::nullopt;
    }
  }

  Result<> message(const ProtobufCMessageDescriptor& descriptor);
};

// Where it is, in front of what is wrong there; only failures pay for the text.
std::unexpected<Error> at_field(uint64_t number, std::string_view what) {
  return refuse(cat("field ", number, what));
}

Result<> check_text(uint64_t number, std::string_view text) {
  if (text.contains('\0')) return at_field(number, ": a text with a NUL byte");
  if (!is_utf8(text)) return at_field(number, ": a text that is not UTF-8");
  return {};
}

// The types refer to each other as a tree, so this ends however the bytes are made.
Result<> Scanner::message(const ProtobufCMessageDescriptor& descriptor) {
  while (!rest.empty()) {
    if (++*fields > kMostFields) return refuse(cat(": more than ", kMostFields, " fields"));
    const std::optional<uint64_t> tag = varint();
    if (!tag || *tag >> 3 == 0 || *tag >> 32 != 0) return refuse(": malformed");
    const uint64_t number = *tag >> 3;
    const uint32_t wire_type = *tag & 7;
    const std::optional<std::string_view> content = value(wire_type);
    if (!content) return at_field(number, ": malformed");
    const ProtobufCFieldDescriptor* field =
        ::protobuf_c_message_descriptor_get_field(&descriptor, static_cast<unsigned>(number));
    if (field == nullptr || wire_type != kLengthDelimited) continue;
    if (field->type == PROTOBUF_C_TYPE_STRING) TRY(check_text(number, *content));
    if (field->type != PROTOBUF_C_TYPE_MESSAGE) continue;
    Scanner inner{*content, fields};
    Result<> done =
        inner.message(*static_cast<const ProtobufCMessageDescriptor*>(field->descriptor));
    if (done) continue;
    const std::string& text = done.error().text;
    const bool names_field = text.starts_with("field ");
    return at_field(
        number, cat(names_field ? "." : "", std::string_view(text).substr(names_field ? 6 : 0)));
  }
  return {};
}

}  // namespace

Result<> scan(const ProtobufCMessageDescriptor& descriptor, std::string_view bytes) {
  size_t fields = 0;
  Result<> done = Scanner{bytes, &fields}.message(descriptor);
  if (!done && done.error().text.starts_with(": ")) done.error().text.erase(0, 2);
  return done;
}

bool is_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto first = static_cast<uint8_t>(text[i++]);
    if (first < 0x80) continue;
    // Two to four bytes; the second one also excludes longer forms than needed, surrogates, and
    // what is above U+10FFFF.
    const int more = first >= 0xc2 && first < 0xe0 ? 1 : first >= 0xe0 && first < 0xf0 ? 2 : 3;
    if (first < 0xc2 || first > 0xf4 || text.size() - i < static_cast<size_t>(more)) return false;
    const auto second = static_cast<uint8_t>(text[i]);
    const uint8_t least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    const uint8_t most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (second < least || second > most) return false;
    for (int k = 1; k < more; ++k) {
      if ((static_cast<uint8_t>(text[i + k]) & 0xc0) != 0x80) return false;
    }
    i += more;
  }
  return true;
}

}  // namespace ocirt::wire
