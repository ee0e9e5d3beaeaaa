// linux.netDevices: devices of the host that the container gets (config-linux.md, "Network
// Devices"). ocirt-net (src/net/) moves them while init waits before the hooks: the namespace
// exists then, and neither a hook nor a sysctl of such a device is early. Nobody takes them back
// from a container that ends. The kernel does what the specification describes: with the last
// process of the namespace, and nobody else holding it, physical devices return to the initial
// namespace and virtual ones are destroyed. In a namespace of somebody else they stay.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "oci-spec/spec.h"
#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/net/request.h"

namespace ocirt::container {

// What the configuration asks for. Refuses a network namespace that is the host's: the devices
// would only be renamed there.
Result<std::vector<net::Wanted>> draft_net_devices(const oci::Spec& spec);

// The devices of one container that is being made: given back by the destructor unless committed.
class [[nodiscard]] NetDevices {
 public:
  NetDevices() = default;
  NetDevices(NetDevices&& other) noexcept;
  NetDevices& operator=(NetDevices&&) = delete;
  ~NetDevices() { (void)give_back(); }

  // Looks, before anything is changed, that ocirt-net and every device are there. Without devices
  // it makes no system call.
  static Result<NetDevices> find(std::vector<net::Wanted> wanted);

  // Moves them to where the process is. All or none.
  Result<> move_in(pid_t init);
  // Takes back what has been moved. The namespace is held open, so its processes may have ended.
  Result<> give_back();
  // They are the container's from here on.
  void commit() { moved_.clear(); }

 private:
  std::string program_;
  std::vector<net::Wanted> wanted_;
  std::vector<net::Moved> moved_;
  UniqueFd namespace_;
};

}  // namespace ocirt::container
