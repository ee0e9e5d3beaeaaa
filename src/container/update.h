// `update`: new limits for a container that exists.
#pragma once

#include <string>
#include <vector>

#include "oci-spec/resources.h"
#include "src/base/result.h"
#include "src/container/store.h"

namespace ocirt::container {

// Writes the limits that are present in `resources`; the others stay. Device rules are never
// touched, since a process may hold what they would take away. Works on created, running and paused
// containers; a stopped one is `container not running`.
// `schemata` are lines for the container's class of resctrl, which it must have been created with.
Result<> update(const Store& store, const std::string& id, const oci::Resources& resources,
                const std::vector<std::string>& schemata = {});

}  // namespace ocirt::container
