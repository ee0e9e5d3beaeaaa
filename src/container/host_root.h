// The root of a container that shares our mount namespace (linux.namespaces without "mount").
//
// Init mounts the rootfs onto itself and everything else below that, so that all of it is one tree
// on the host, and taking this one mount away leaves the host as it was. It stays until the
// container is deleted, as its cgroup does.
#pragma once

#include <cstdint>
#include <string>

#include "src/base/result.h"
#include "src/container/record.h"

namespace ocirt::container {

// While the container is made: takes away what has been mounted there since, unless committed.
class [[nodiscard]] HostRoot {
 public:
  static Result<HostRoot> watch(const std::string& rootfs);
  HostRoot(HostRoot&& other) noexcept;
  HostRoot& operator=(HostRoot&&) = delete;
  ~HostRoot();

  // The mount that is there now.
  Result<uint64_t> mount() const;
  void commit() { rootfs_.clear(); }

 private:
  HostRoot(std::string rootfs, uint64_t before) : rootfs_(std::move(rootfs)), before_(before) {}
  std::string rootfs_;
  uint64_t before_ = 0;
};

// At the end of the container's life. Nothing where it has no such root, or that is gone.
Result<> remove_host_root(const Record& record);

}  // namespace ocirt::container
