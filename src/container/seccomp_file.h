// The compiled seccomp filter of a container, kept beside its record so that `exec` loads the very
// same bytes without compiling again.
#pragma once

#include <cstdint>
#include <vector>

#include "src/base/result.h"
#include "src/container/store.h"

namespace ocirt::container {

struct StoredFilter {
  uint32_t flags = 0;             // SECCOMP_FILTER_FLAG_*
  std::vector<uint64_t> program;  // struct sock_filter, one word each; empty: no filter
};

// Writes nothing for an empty program.
Result<> write_filter(const Directory& directory, const StoredFilter& filter);
// An absent file is an empty program; a damaged one is an error, never no filter.
Result<StoredFilter> read_filter(const Directory& directory);

}  // namespace ocirt::container
