// Text of documents: is it UTF-8, and how does it look in an error message.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace oci::json {

// Offset of the first byte that is not part of well-formed UTF-8 (RFC 3629: no overlong forms, no
// surrogates, nothing above U+10FFFF), or npos.
std::size_t find_invalid_utf8(std::string_view text);

// `text` with U+FFFD in place of every byte that is not part of well-formed UTF-8.
std::string replace_invalid_utf8(std::string_view text);

// Whether two names are the same but for the case of ASCII letters.
bool equal_in_any_case(std::string_view one, std::string_view other);

// Whether a document may have a property whose name has `part` in it, in any case or escaped: false
// is certain. Much quicker than reading it.
bool may_name(std::string_view text, std::string_view part);

// `text` in quotation marks for an error message: shortened, and without control characters, since
// messages go to terminals and logs and the text comes from a stranger.
std::string quoted(std::string_view text);

// Extends a property path: "process.cwd" by a member, "mounts[3]" by an index,
// "sysctl[\"a.b\"]" by a free name.
void append_member(std::string& path, std::string_view name);
void append_index(std::string& path, std::size_t index);
void append_key(std::string& path, std::string_view key);

// Line and column (both from 1, the column in bytes) of an offset.
struct Place {
  unsigned line = 0;
  unsigned column = 0;
};
Place place_of(std::string_view text, std::size_t offset);

// Where the token begins that a lexer could not use: it stopped at `stopped`, on or behind that
// token, and the token before it ends at `behind_last`.
std::size_t start_of_bad_token(std::string_view text, std::size_t behind_last, std::size_t stopped);

}  // namespace oci::json
