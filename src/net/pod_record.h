// network.json in a pod's directory: what was asked and what has been answered. It is written
// before anything is made and removed after everything is gone, so whoever finds it knows what
// there may be, whatever was killed in between.
#pragma once

#include <optional>
#include <string>

#include "src/base/result.h"
#include "src/net/pod_request.h"

namespace ocirt::net {

struct PodRecord {
  PodRequest request = {};
  PodNetwork network = {};
  bool complete = false;  // up has succeeded
  // kCni: the whole configuration as it was used, since its file may be changed or gone when it is
  // taken back, and the last plugin's result.
  std::string cni_configuration = {};
  std::string cni_result = {};
  bool operator==(const PodRecord&) const = default;
};

Result<> save_record(const PodRecord& record);
// Nothing when there is none.
Result<std::optional<PodRecord>> load_record(const std::string& directory);
Result<> remove_record(const std::string& directory);

}  // namespace ocirt::net
