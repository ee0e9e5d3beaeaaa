#include "src/shim/mapped_mounts.h"

#include <linux/mount.h>

#include <cerrno>

#include "src/base/text.h"
#include "src/sys/file.h"
#include "src/sys/mount_tree.h"
#include "src/sys/mounting.h"

namespace ocirt::shim {
namespace {

std::string directory_of(const std::string& bundle) { return cat(bundle, "/layers"); }

// EINVAL says no more than that.
Error explained(Error error) {
  if (error.code == EINVAL)
    error.text += " (its file system, or this kernel, cannot show ids otherwise than they are)";
  return error;
}

Result<UniqueFd> mapped_tree(const std::string& path, bool recursive, Fd user_namespace) {
  UniqueFd tree = TRY(sys::open_mount_tree(path, recursive, true));
  Result<> mapped = sys::map_mount_ids(tree, recursive, user_namespace);
  if (!mapped) return std::unexpected(explained(std::move(mapped).error()));
  return tree;
}

Result<> attach_layer(const std::string& layer, const std::string& place, Fd user_namespace) {
  const UniqueFd tree = TRY(mapped_tree(layer, false, user_namespace));
  TRY(sys::set_tree_attributes(tree, MOUNT_ATTR_RDONLY));
  TRY(sys::mkdir(sys::kCwd, place, 0700));
  return sys::attach_mount_tree(tree, place);
}

}  // namespace

MappedLayers::~MappedLayers() {
  // What stays is found by `delete`.
  if (!directory_.empty()) (void)remove_mapped_layers(bundle_);
}

Result<> MappedLayers::make(const std::string& bundle, const std::vector<std::string>& layers,
                            Fd user_namespace) {
  TRY(remove_mapped_layers(bundle));  // of somebody who was killed
  bundle_ = bundle;
  directory_ = directory_of(bundle);
  TRY(sys::mkdir(sys::kCwd, directory_, 0700));
  option_ = "lowerdir=";
  for (size_t i = 0; i < layers.size(); ++i) {
    const std::string name = cat(i);
    TRY(within(cat("layer ", quoted(layers[i])),
               attach_layer(layers[i], cat(directory_, "/", name), user_namespace)));
    option_ += cat(i == 0 ? "" : ":", name);
  }
  return {};
}

Result<> remove_mapped_layers(const std::string& bundle) {
  const std::string directory = directory_of(bundle);
  if (!sys::is_directory(sys::kCwd, directory)) return {};
  TRY(sys::unmount_everything(directory));
  const std::vector<std::string> names = TRY(sys::list_directory(sys::kCwd, directory));
  for (const std::string& name : names) TRY(sys::rmdir(sys::kCwd, cat(directory, "/", name)));
  return sys::rmdir(sys::kCwd, directory);
}

Result<> show_mapped(const std::string& place, bool recursive, Fd user_namespace) {
  const UniqueFd tree = TRY(mapped_tree(place, recursive, user_namespace));
  return sys::attach_mount_tree(tree, place);
}

}  // namespace ocirt::shim
