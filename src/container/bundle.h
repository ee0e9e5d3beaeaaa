// A bundle on disk: a directory with config.json and, usually, the root filesystem (bundle.md).
#pragma once

#include <string>
#include <string_view>

#include "oci-spec/spec.h"
#include "src/base/result.h"

namespace ocirt::container {

struct Bundle {
  std::string path;  // absolute, without symlinks
  std::string json;  // config.json as it was read
  oci::Spec spec;
  std::string rootfs;  // absolute, without symlinks; a directory
};

// Reads and checks. `config_file`: instead of config.json in the bundle; empty for that. Changes
// nothing. Errors name the path, or the place and property in config.json.
Result<Bundle> open_bundle(const std::string& path, const std::string& config_file);

// Takes a limit of 0 processes out where it stands for none: what was written for a version of the
// specification before 1.3 (config-linux.md, "Process IDs").
void drop_pids_limit_of_old(std::string_view oci_version, oci::Resources& resources);

}  // namespace ocirt::container
