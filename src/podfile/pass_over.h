// What --ignore-unknown leaves out and the reader cannot, since it is no field without a row: a
// resource that no cgroup limits is a name in a map, some fields have one value that cannot be
// honoured, and of a volume whose source is left out there is nothing to mount.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/podfile/tree.h"

namespace ocirt::podfile {

// Takes out of a Pod, among all `documents` of the file, resources that cannot be honoured, the
// wish to pull an image, limits of an emptyDir's size on the disk, sources of projected volumes
// that are of a cluster, and volumes that have no other source, with all that mounts them. Adds a
// line about each, with its place, to `ignored`, which may be nullptr. What has not the form that
// it should have stays for the reader to refuse.
void pass_over(Node& pod, const std::vector<Node>& documents, std::string_view file,
               std::vector<std::string>* ignored);

}  // namespace ocirt::podfile
