// Mounts whose files belong to a user namespace without having been changed (mount_setattr(2),
// MOUNT_ATTR_IDMAP): what containerd's snapshotters ask for with uidmap= and gidmap=.
//
// An overlay shows ids as its layers do, so these are mapped: copies of their mounts, in
// BUNDLE/layers, for as long as the overlay is being made, which then has copies of its own. They
// cannot be written to: what a killed shim leaves there may not become somebody's "rm -r BUNDLE" of
// an image.
#pragma once

#include <string>
#include <vector>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace ocirt::shim {

class MappedLayers {
 public:
  MappedLayers() = default;
  MappedLayers(const MappedLayers&) = delete;
  MappedLayers& operator=(const MappedLayers&) = delete;
  // Takes them away.
  ~MappedLayers();

  // Errors name the layer.
  Result<> make(const std::string& bundle, const std::vector<std::string>& layers,
                Fd user_namespace);
  // The option that names them, relative to the directory.
  const std::string& option() const { return option_; }
  const std::string& directory() const { return directory_; }

 private:
  std::string bundle_, directory_, option_;
};

// What was left of them.
Result<> remove_mapped_layers(const std::string& bundle);

// Shows what is mounted at `place` with mapped ids: by a mount on top of it.
Result<> show_mapped(const std::string& place, bool recursive, Fd user_namespace);

}  // namespace ocirt::shim
