// What the kernel answers over netlink(7), taken apart. What was cut or cannot be read is an error
// and never left out: a refusal may have been in it, and nftables says nothing at all to a
// transaction that has succeeded.
#pragma once

#include <linux/netlink.h>

#include <cstddef>
#include <span>
#include <vector>

#include "src/base/result.h"

namespace ocirt::net {

// Pure: the messages of one datagram, in `buffer`, which is aligned as nlmsghdr is. `size` is its
// own, as recv(2) says it with MSG_TRUNC; code EMSGSIZE when the buffer was too small for it, and
// EBADMSG when its messages are not whole.
Result<std::vector<const nlmsghdr*>> messages_in(std::span<const char> buffer, size_t size);

// Pure: the errno value that a message of type NLMSG_ERROR, or the NLMSG_DONE of a list, tells; 0:
// nothing was wrong. Code EBADMSG when it is too short to tell one.
Result<int> code_in(const nlmsghdr* message);

}  // namespace ocirt::net
