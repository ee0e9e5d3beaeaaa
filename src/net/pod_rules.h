// What nftables does for the pods of a bridge, in one table of its own: published ports, the host's
// address for what pods send elsewhere, and two refusals that keep a pod from speaking in others'
// names.
#pragma once

#include <string>
#include <string_view>

#include "src/base/result.h"
#include "src/net/pool.h"

namespace ocirt::net {

// "ocirt" for the usual bridge; another bridge has a table of its own.
std::string table_name(std::string_view bridge);

// Puts the table that belongs to the pool in place of the one that may be there, in one
// transaction: so that there is never a moment without rules, and whatever has become of them
// since (`nft flush ruleset`) is mended by the next pod that comes or goes.
Result<> write_rules(std::string_view bridge, const Pool& pool);

// The same by what one pod adds, when the rest is there: a third of the time. Falls back on
// write_rules() when the kernel knows something that the pool does not. `pool` has the pod.
Result<> add_ports(std::string_view bridge, const Pool& pool, const PoolPod& pod);
// And by what it takes away. `pool` has it no more.
Result<> remove_ports(std::string_view bridge, const Pool& pool, const PoolPod& pod);

// Whether the table is there.
Result<bool> has_rules(std::string_view bridge);
// Whether all is in it that belongs to the pool: what others have added does not count, what they
// have taken away (`nft flush table`, `nft flush chain`) does.
Result<bool> are_rules_whole(std::string_view bridge, const Pool& pool);

// Takes the table away; what is not there is no error.
Result<> remove_rules(std::string_view bridge);

}  // namespace ocirt::net
