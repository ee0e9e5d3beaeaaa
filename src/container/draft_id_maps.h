// Whose ids an idmapped mount shows: from uidMappings and gidMappings of the mount, from its option
// "idmap=..." or "ridmap=..." as crun has it, or as in the container (config.md, "idmap").
#pragma once

#include "oci-spec/linux.h"
#include "oci-spec/mounts.h"
#include "src/base/result.h"
#include "src/container/draft.h"
#include "src/linux/mount_options.h"

namespace ocirt::container {

// Nothing (IdMaps::given() is false) for a mount that shows ids as they are.
Result<IdMaps> draft_id_maps(const oci::Mount& mount, const MountOptions& options,
                             const oci::Linux& linux);

}  // namespace ocirt::container
