// Network devices as the kernel knows them: found, moved to another network namespace, renamed, set
// up.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "src/base/fd.h"
#include "src/net/netlink.h"

namespace ocirt::net {

struct Link {
  uint32_t index = 0;
  std::string name;
  bool up = false;
  uint32_t master = 0;  // index of the bridge or bond of which it is a port, or 0
};

// Nothing when there is no such device in the session's namespace.
Result<std::optional<Link>> find_link(Session& session, std::string_view name);
Result<std::optional<Link>> find_link(Session& session, uint32_t index);

// Moves the device into the namespace, where it is called `name`. The kernel takes the two steps
// one after the other, so after an error the device may be there under its old name. Moving sets it
// down and takes its addresses; MTU, hardware address and the like stay.
Result<> move_link(Session& session, uint32_t index, Fd ns, std::string_view name);

// Only while it is down, on older kernels. "%d" in the name stands for a number that is free.
Result<> rename_link(Session& session, uint32_t index, std::string_view name);
Result<> set_up(Session& session, uint32_t index);
Result<> set_master(Session& session, uint32_t index, uint32_t master);

}  // namespace ocirt::net
