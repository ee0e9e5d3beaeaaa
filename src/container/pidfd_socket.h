// `--pidfd-socket` and the annotation run.oci.pidfd_receiver: who started a container gets a
// descriptor of its process, which cannot come to mean another process as a pid can.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/container/peer.h"

namespace ocirt::container {

// Connects to the socket that the option names and to the one that the annotation names; an empty
// path is none. Each has `limit_ms` milliseconds to accept.
Result<std::vector<UniqueFd>> connect_pidfd_sockets(const std::string& option,
                                                    const std::string& annotation,
                                                    int limit_ms = kPeerLimitMs);

// Sends the pidfd, once to each, with a few bytes that say what it is: "standard" is a container's
// first process, "setns" a further one (as runc says it; receivers want some bytes).
Result<> send_pidfd(std::span<const UniqueFd> sockets, Fd pidfd, std::string_view what);

}  // namespace ocirt::container
