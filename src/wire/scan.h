// A look at a message's bytes before protobuf-c makes structs out of them, for what it does not
// refuse by itself:
// - texts with a NUL byte, which a `char*` would silently cut ("c1\0x" is not container c1), and
// texts
//   that are not UTF-8, which proto3 forbids;
// - millions of empty fields: four megabytes of them would become hundreds.
#pragma once

#include <protobuf-c/protobuf-c.h>

#include <cstddef>
#include <string_view>

#include "src/base/result.h"

namespace ocirt::wire {

// Fields of a message and of all messages in it; the longest that is real lists some ten thousand
// processes, with four fields each.
inline constexpr size_t kMostFields = size_t{1} << 18;

// Refuses with a reason that names the number of the field, such as "field 4.1: a text with a NUL
// byte".
Result<> scan(const ProtobufCMessageDescriptor& descriptor, std::string_view bytes);

// Whether all of it is UTF-8 (RFC 3629).
bool is_utf8(std::string_view text);

}  // namespace ocirt::wire
