#include "src/container/host_root.h"

#include <utility>

#include "src/sys/mount_tree.h"

namespace ocirt::container {

Result<HostRoot> HostRoot::watch(const std::string& rootfs) {
  const uint64_t before = TRY(sys::mount_id(rootfs));
  return HostRoot(rootfs, before);
}

HostRoot::HostRoot(HostRoot&& other) noexcept
    : rootfs_(std::exchange(other.rootfs_, std::string())), before_(other.before_) {}

HostRoot::~HostRoot() {
  if (rootfs_.empty()) return;
  Result<uint64_t> now = mount();
  if (now && *now != before_) (void)sys::unmount_tree(rootfs_);
}

Result<uint64_t> HostRoot::mount() const { return sys::mount_id(rootfs_); }

Result<> remove_host_root(const Record& record) {
  if (record.root_mount == 0) return {};
  Result<uint64_t> now = sys::mount_id(record.rootfs);
  // Somebody has taken it away, or put something else over it.
  if (!now || *now != record.root_mount) return {};
  return within("root", sys::unmount_tree(record.rootfs));
}

}  // namespace ocirt::container
