// Where the shim of an ordinary user's pod is: in a user namespace of its own, where it is root,
// and a mount namespace. In there a pod is made as root makes one; so there is one way to make pods
// and not two. A holder keeps both namespaces, with every pin and mount of the pod, when the shim
// is killed; the next one joins them.
#pragma once

#include <span>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/pod/paths.h"

namespace ocirt::shim {

// Whether this process has to go there first: it is an ordinary user's.
bool needs_user_place();

// Goes there and executes this program anew, with `words` and --lock-fd N for `lock`, which is the
// pod's. Returns only when that has failed, with everything undone. `arguments` are the program's
// own, as it was started.
// With `adopt` only where there is something to be adopted.
Error go_to_user_place(const pod::Layout& layout, Fd lock, bool adopt,
                       std::span<const char* const> arguments, std::span<const char* const> words);

}  // namespace ocirt::shim
