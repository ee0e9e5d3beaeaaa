// What an image of this machine says about the container that is made from it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "oci-spec/spec.h"
#include "src/base/result.h"
#include "src/podfile/image.h"

namespace ocirt::podfile {

struct ImageFacts {
  ImageKind kind = ImageKind::kRootfs;
  std::string rootfs;               // absolute path of the root file system
  std::optional<oci::Spec> bundle;  // kBundle: its config.json
  // kOci: of the image's configuration.
  std::vector<std::string> entrypoint;
  std::vector<std::string> command;
  std::vector<std::string> environment;
  std::string user;
  std::string working_directory;
  std::string stop_signal;
  // Of the root file system; empty where it has none.
  std::string passwd;
  std::string group;
};

// Looks at the image; an `oci:` one is unpacked below `cache`, once. Relative paths start at
// `directory`.
Result<ImageFacts> look_at(const Image& image, const std::string& directory,
                           const std::string& cache);

// oci_image.cc: the part for `oci:` layouts, which fills what concerns them.
Result<> look_at_layout(const Image& image, const std::string& layout, const std::string& cache,
                        ImageFacts& facts);

}  // namespace ocirt::podfile
