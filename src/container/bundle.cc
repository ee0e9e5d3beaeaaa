#include "src/container/bundle.h"

#include <cerrno>

#include "oci-spec/documents.h"
#include "src/base/text.h"
#include "src/container/oci_result.h"
#include "src/sys/file.h"

namespace ocirt::container {
namespace {

// Says it in words that no caller takes for a missing command of the container ("no such file or
// directory" of any case means exit status 127 to podman and docker).
Result<std::string> resolve(const std::string& path, std::string_view what) {
  Result<std::string> real = sys::real_directory(path);
  if (real) return real;
  if (real.error().code == ENOENT)
    return std::unexpected(Error{ENOENT, cat(what, " ", path, " is missing")});
  if (real.error().code == ENOTDIR)
    return std::unexpected(Error{ENOTDIR, cat(what, " ", path, " is no directory")});
  return within(what, std::move(real));
}

}  // namespace

// Until version 1.2 of the specification pids.limit could not be left out, and those who had no
// limit wrote 0; since 1.3 it is a limit.
void drop_pids_limit_of_old(std::string_view oci_version, oci::Resources& resources) {
  const std::vector<std::string_view> parts = split(oci_version, '.');
  const bool old = parts[0] == "1" && parts.size() > 1 && to_number<int>(parts[1]).value_or(3) < 3;
  if (old && resources.pids && resources.pids->limit == 0) resources.pids.reset();
}

Result<Bundle> open_bundle(const std::string& path, const std::string& config_file) {
  Bundle bundle;
  Result<std::string> json;
  std::string config = cat(path, "/config.json");
  // Where no symlink leads to it, its directory need not be asked where it really is.
  const bool plain = config_file.empty() && sys::is_plain_path(config);
  if (plain) json = sys::read_document(sys::kCwd, config, '}', oci::kMaxDocumentSize, true);
  if (plain && json) {
    bundle.path = path;
  } else {
    bundle.path = TRY(resolve(path, "bundle"));
    config = config_file.empty() ? cat(bundle.path, "/config.json") : config_file;
    json = sys::read_document(sys::kCwd, config, '}', oci::kMaxDocumentSize);
  }
  if (!json && json.error().code == ENOENT) {
    return std::unexpected(Error{
        ENOENT, cat(config, " is missing: a bundle has one (`ocirt spec` writes an example)")});
  }
  bundle.json = TRY(std::move(json));
  bundle.spec = TRY(from_spec(oci::read_config(bundle.json, "config.json")));
  if (bundle.spec.linux && bundle.spec.linux->resources)
    drop_pids_limit_of_old(bundle.spec.oci_version, *bundle.spec.linux->resources);
  const std::string& root = bundle.spec.root->path;
  bundle.rootfs =
      TRY(resolve(root.starts_with('/') ? root : cat(bundle.path, "/", root), "root.path:"));
  return bundle;
}

}  // namespace ocirt::container
