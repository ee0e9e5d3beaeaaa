// Volumes whose files are known when a pod is made, and which containers cannot write to: of
// ConfigMaps, of Secrets, of the pod's own fields (downwardAPI), or of several of these in one
// directory (projected).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/podfile/file.h"

namespace ocirt::podfile {

bool is_fixed(const manifest::Volume& volume);

// A fixed volume in the words of one with several sources, each of which has its place in the pod
// file, below the volume's: "configMap", "projected.sources[0].secret". The member that has the
// name of what it is of is `name`.
struct Source {
  manifest::Projection projection;
  std::string place;
  std::string_view name = "name";
};
std::vector<Source> sources_of(const manifest::Volume& volume);

struct VolumeFile {
  std::string path;  // relative
  uint32_t mode = 0;
  std::string content = {};
};

// Of a fixed volume. What is optional and not there is left out; of two that only keys name, the
// later one is the file, as in Kubernetes. `uid` is the pod's. check_volumes() has seen to it that
// the rest is there.
std::vector<VolumeFile> files_of(const File& file, const manifest::Volume& volume,
                                 std::string_view uid);

inline constexpr std::string_view kVolumeFields =
    "metadata.name, metadata.namespace, metadata.uid, metadata.labels, metadata.annotations, "
    "metadata.labels['NAME'] and metadata.annotations['NAME']";

// The value of a pod's own field in a volume, nothing when it is not supported: other fields than
// in a variable, since a volume may have all labels, and what is known later would have to change.
std::optional<std::string> volume_field(const manifest::Pod& pod, std::string_view path,
                                        std::string_view uid);

}  // namespace ocirt::podfile
