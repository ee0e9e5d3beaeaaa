// Volumes, as entries of the pod's directory and as mounts that the shim makes.
#pragma once

#include "src/podfile/resolve.h"

namespace ocirt::podfile {

// Adds what the n-th volume needs. A host path is looked at, and made if its type says so and
// `touch_host` is true.
Result<> resolve_volume(const File& file, size_t index, bool touch_host, Resolved& out);

// Adds what the container's volume mounts are mounted on where that is in a volume that containers
// cannot write to, after all volumes.
void add_mount_points(const File& file, const manifest::Container& container,
                      const pod::Layout& layout, Resolved& out);

// Adds a mount for each sub-path of the container's volume mounts. They are resolved once, by the
// shim before any container runs and without following symlinks, since a container can put a
// symlink into a volume at any time and would be given the host's files with its next start.
Result<> resolve_sub_paths(const File& file, const manifest::Container& container,
                           const pod::Layout& layout, Resolved& out);

}  // namespace ocirt::podfile
