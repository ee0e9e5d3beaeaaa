// What a container's `image` may be. Nothing is pulled: an image is a directory of this machine.
#pragma once

#include <string>
#include <string_view>

#include "src/base/result.h"

namespace ocirt::podfile {

inline constexpr std::string_view kNetworkAnnotation = "ocirt.pod/network";

enum class ImageKind : unsigned char { kBundle, kRootfs, kOci };

struct Image {
  ImageKind kind = ImageKind::kRootfs;
  std::string path;  // as written: relative to the pod file's directory
  std::string tag;   // kOci: of the layout's index
};

// "bundle:DIR", "rootfs:DIR", "oci:LAYOUT:TAG" (TAG: latest).
Result<Image> parse_image(std::string_view image);

}  // namespace ocirt::podfile
