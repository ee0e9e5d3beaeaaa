// A pod file as a whole: one Pod, and the ConfigMaps and Secrets that it uses as further documents
// of the same file, as `kubectl apply` takes them. Kubernetes fetches those from its server; a file
// of one machine has no other place for them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "oci-spec/error.h"
#include "src/podfile/manifest.h"
#include "src/podfile/reader.h"
#include "src/podfile/tree.h"

namespace ocirt::podfile {

struct File {
  std::string name;  // for errors
  manifest::Pod pod;
  std::vector<manifest::ConfigMap> config_maps;
  std::vector<manifest::Secret> secrets;
  Node tree;  // of the pod, for places of errors

  const manifest::ConfigMap* config_map(std::string_view name) const;
  const manifest::Secret* secret(std::string_view name) const;
};

// What a variable may have as its value, or nullptr: not what Kubernetes keeps for volumes.
inline const std::string* value_in(const manifest::ConfigMap& map, std::string_view key) {
  return map.binary_data.find(key) != nullptr ? nullptr : map.data.find(key);
}
inline const std::string* value_in(const manifest::Secret& secret, std::string_view key) {
  return secret.data.find(key);
}

// Reads and checks (check.h) the text of a pod file.
oci::Result<File> read_pod_file(std::string_view text, std::string_view name,
                                const ReadOptions& options);

}  // namespace ocirt::podfile
