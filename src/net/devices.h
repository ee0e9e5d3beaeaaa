// Moving the devices of linux.netDevices into a container's network namespace and back
// (config-linux.md, "Network Devices"). The peers leave it at that: a container's end returns
// nothing, because then the kernel does what the specification describes, or the namespace's owner.
// Giving back is for a container that could not be made.
#pragma once

#include <vector>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/net/request.h"

namespace ocirt::net {

// Moves all devices from this process's network namespace into `ns`, renamed, with their permanent
// addresses of global scope, and sets them up. When one fails, those before it are given back, and
// the error says what could not be. The process is in `ns` afterwards, which is why this has a
// program of its own.
Result<std::vector<Moved>> move_in(Fd ns, const std::vector<Wanted>& devices);

// The way back: old name, all addresses, master, up if it was, routes. Goes on after an error and
// returns the first. One that has gone (its other end was deleted) is no error.
Result<> give_back(Fd ns, const std::vector<Moved>& devices);

}  // namespace ocirt::net
