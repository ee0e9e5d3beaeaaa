// New file systems that are mounted nowhere yet (fsopen(2), fsconfig(2), fsmount(2)).
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/sys/cstr.h"

namespace ocirt::sys {

// Makes one and a detached mount of it. Options are "name" or "name=value"; the one that is not
// taken is named, with what the file system says of it.
Result<UniqueFd> make_filesystem(CStr type, CStr source, std::span<const std::string> options);

// A device node below `directory` with exactly this type, mode and owner.
Result<> make_device(Fd directory, CStr name, uint32_t mode, uint32_t major, uint32_t minor,
                     uint32_t uid, uint32_t gid);

}  // namespace ocirt::sys
