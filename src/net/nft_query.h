// What the kernel has of a table of nftables (linux/netfilter/nf_tables.h), of the family "inet",
// in the network namespace of this process.
#pragma once

#include <cstddef>
#include <string_view>

#include "src/base/result.h"

namespace ocirt::net {

// Whether the table is there.
Result<bool> has_table(std::string_view name);

// How many rules all its chains have; none when there is no such table.
Result<size_t> count_rules(std::string_view table);

// How many elements the set or map has; none when there is no such table or set.
Result<size_t> count_elements(std::string_view table, std::string_view set);

}  // namespace ocirt::net
