// Extended attributes (xattr(7)) as notes at a file that need no file of their own.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "src/base/fd.h"
#include "src/sys/cstr.h"

namespace ocirt::sys {

// The attribute's value, in `room`; nothing when there is none, or it cannot be read or is larger.
std::optional<std::string_view> read_attribute(Fd fd, CStr name, std::span<char> room);

// Sets it. False when that cannot be done (no right, or not on this file system).
bool write_attribute(Fd fd, CStr name, std::string_view value);

}  // namespace ocirt::sys
