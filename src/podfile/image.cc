#include "src/podfile/image.h"

#include "src/base/text.h"

namespace ocirt::podfile {

Result<Image> parse_image(std::string_view image) {
  const size_t colon = image.find(':');
  const std::string_view kind = image.substr(0, colon);
  const std::string_view rest = colon == std::string_view::npos ? "" : image.substr(colon + 1);
  if (colon == std::string_view::npos || (kind != "bundle" && kind != "rootfs" && kind != "oci")) {
    return refuse(cat("expected bundle:DIR, rootfs:DIR or oci:LAYOUT:TAG, found ", quoted(image),
                      "; nothing is pulled"));
  }
  if (rest.empty()) return refuse(cat("a directory is missing behind ", quoted(image)));
  if (kind == "bundle") return Image{ImageKind::kBundle, std::string(rest), {}};
  if (kind == "rootfs") return Image{ImageKind::kRootfs, std::string(rest), {}};
  // A tag has no slash, so a colon inside of the path is not taken for the separator.
  const size_t last = rest.rfind(':');
  if (last == std::string_view::npos || rest.find('/', last) != std::string_view::npos) {
    return Image{ImageKind::kOci, std::string(rest), "latest"};
  }
  Image parsed{ImageKind::kOci, std::string(rest.substr(0, last)),
               std::string(rest.substr(last + 1))};
  if (parsed.path.empty() || parsed.tag.empty()) {
    return refuse(cat("expected oci:LAYOUT:TAG, found ", quoted(image)));
  }
  return parsed;
}

}  // namespace ocirt::podfile
