// Namespace files (namespaces(7)): opened, checked for their kind, entered.
#pragma once

#include <cstdint>
#include <string>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace ocirt::sys {

// Opens a namespace file and checks by ioctl_ns(2) that it is of the kind `flag` (CLONE_NEW*).
// Errors name the path, and the kind that was found.
Result<UniqueFd> open_namespace(const std::string& path, uint64_t flag);

// Whether the file is the namespace of that kind in which this process is. False when it cannot be
// opened: whoever joins it will say why.
bool is_own_namespace(const std::string& path, uint64_t flag);

// The user namespace to which the namespace belongs (ioctl_ns(2)); it has to be our own or below.
Result<UniqueFd> owner_of(Fd ns);

// Whether the namespace belongs to this user namespace (ioctl_ns(2)).
bool is_owned_by(Fd ns, Fd user);

}  // namespace ocirt::sys
