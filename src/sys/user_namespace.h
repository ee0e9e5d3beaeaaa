// A user namespace that only stands for a mapping of ids: mount_setattr(2) takes mappings in no
// other form.
#pragma once

#include <string_view>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace ocirt::sys {

// `uid_map` and `gid_map` are lines "INSIDE OUTSIDE SIZE" (user_namespaces(7)). The descriptor
// keeps the namespace alive; the process that it is made with has ended when this returns.
Result<UniqueFd> make_user_namespace(std::string_view uid_map, std::string_view gid_map);

// unshare(2) of the user and the mount namespace, without ids yet: whoever maps them makes this
// process root in there. Errors say what the host has against it.
Result<> enter_new_user_namespace();
// setns(2) to a user namespace, of which this process then has all rights, but not the ids: it
// keeps its own, by which files of the host are still its, but no further groups. It still ends
// with its parent, if it did.
Result<> enter_user_namespace(Fd user);
// User and group 0 of the user namespace in which this process is.
Result<> become_root();
// Has no group but its own from here on (setgroups(2)).
Result<> give_up_groups();

}  // namespace ocirt::sys
