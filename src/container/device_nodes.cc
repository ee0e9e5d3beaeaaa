#include "src/container/device_nodes.h"

#include <cerrno>

#include "src/base/text.h"
#include "src/sys/filesystem.h"

namespace ocirt::container {

Result<UniqueFd> make_device_nodes(Draft& draft) {
  if (draft.device_nodes.empty()) return UniqueFd();
  const std::string options[] = {"mode=755"};
  UniqueFd tree = TRY(within("linux.devices", sys::make_filesystem("tmpfs", "devices", options)));
  for (const DeviceNode& node : draft.device_nodes) {
    Result<> made =
        sys::make_device(tree, node.name, node.mode, node.major, node.minor, node.uid, node.gid);
    if (!made && made.error().code == EPERM) return UniqueFd();
    TRY(within("linux.devices", std::move(made)));
  }
  draft.builder.plan.device_tree = tree.raw();
  return tree;
}

}  // namespace ocirt::container
