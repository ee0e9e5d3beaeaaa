// `update`: new limits for a container that exists.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "oci-spec/resources.h"
#include "src/base/result.h"
#include "src/container/store.h"

namespace ocirt::container {

// Writes the limits that are present in `resources`; the others stay. Device rules are never
// touched, since a process may hold what they would take away. Works on created, running and paused
// containers; a stopped one is `container not running`.
// Of a document a pids.limit of 0 is none where it was none for `create` (drop_pids_limit_of_old).
// `schemata` are lines for the container's class of resctrl, which it must have been created with.
enum class LimitsOf : uint8_t { document, options };
Result<> update(const Store& store, const std::string& id, const oci::Resources& resources,
                LimitsOf origin, const std::vector<std::string>& schemata = {});

}  // namespace ocirt::container
