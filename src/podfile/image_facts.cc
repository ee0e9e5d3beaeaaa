#include "src/podfile/image_facts.h"

#include <cerrno>

#include "src/base/text.h"
#include "src/container/bundle.h"
#include "src/sys/file.h"

namespace ocirt::podfile {
namespace {

// A file of the image, read as if the image were the root: its symlinks must not lead to the host.
Result<std::string> read_in(const std::string& rootfs, const char* path) {
  UniqueFd root = TRY(sys::open(sys::kCwd, rootfs, O_PATH | O_DIRECTORY));
  Result<UniqueFd> file = sys::open_in_root(root, path, O_RDONLY | O_NONBLOCK);
  if (!file && (file.error().code == ENOENT || file.error().code == ENOTDIR)) return std::string{};
  if (!file) return std::unexpected(std::move(file).error());
  const struct stat info = TRY(sys::stat_fd(*file, path));
  if (!S_ISREG(info.st_mode)) return std::string{};
  return sys::read_all(*file, cat(rootfs, "/", path));
}

}  // namespace

Result<ImageFacts> look_at(const Image& image, const std::string& directory,
                           const std::string& cache) {
  ImageFacts facts;
  facts.kind = image.kind;
  const std::string path =
      image.path.starts_with('/') ? image.path : cat(directory, "/", image.path);
  switch (image.kind) {
    case ImageKind::kBundle: {
      container::Bundle bundle = TRY(container::open_bundle(path, ""));
      facts.rootfs = std::move(bundle.rootfs);
      facts.bundle = std::move(bundle.spec);
      break;
    }
    case ImageKind::kRootfs: {
      Result<std::string> real = sys::real_directory(path);
      if (!real) {
        const int code = real.error().code;
        if (code == ENOENT) return refuse(cat("the directory ", path, " is missing"));
        if (code == ENOTDIR) return refuse(cat(path, " is no directory"));
        return std::unexpected(std::move(real).error());
      }
      facts.rootfs = *std::move(real);
      break;
    }
    case ImageKind::kOci:
      TRY(look_at_layout(image, path, cache, facts));
      break;
  }
  facts.passwd = TRY(read_in(facts.rootfs, "etc/passwd"));
  facts.group = TRY(read_in(facts.rootfs, "etc/group"));
  return facts;
}

}  // namespace ocirt::podfile
