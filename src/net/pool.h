// Which pod has which number (and so addresses) on a bridge, and which host ports lead to it: one
// file per bridge, replaced as a whole under a lock, written before anything is made by it and
// after everything has been taken away. What a killed program leaves is found by it, and a pod
// whose directory or network namespace has gone owns nothing any more.
//
// The file is one for the machine, and not everybody sees the same below its paths: a service of
// systemd with PrivateTmp has mounts, and so pins of namespaces, that others do not see.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/net/pod_request.h"
#include "src/net/subnet.h"

namespace ocirt::net {

struct PoolPod {
  std::string name = {};
  std::string uid = {};
  std::string directory = {};
  std::string netns = {};
  std::string hosts = {};  // its hosts file, or empty
  std::string hostname = {};
  uint32_t number = 0;
  std::vector<PodPort> ports = {};
  std::string device = {};  // its device on the host; empty: plugins have made it
  // Where these paths and this device are: the namespaces (inode numbers) of who has made it. 0: an
  // older ocirt, which did not say.
  uint32_t mounts = 0, network = 0;
  uint32_t inode = 0;  // the pod's network namespace; 0: not said
  bool operator==(const PoolPod&) const = default;

  bool is(std::string_view its_name, std::string_view its_uid) const {
    return name == its_name && uid == its_uid;
  }
};

// A value of the host that had to change.
struct HostValue {
  std::string path = {};  // below /proc/sys/
  std::string before = {};
  std::string now = {};
  bool operator==(const HostValue&) const = default;
};

struct Pool {
  std::string subnet4 = {};
  std::string subnet6 = {};  // empty: the host has no IPv6
  uint32_t last = 0;         // the number given out last; the next pod gets a higher one
  std::vector<PoolPod> pods = {};
  std::vector<HostValue> host = {};
  uint32_t newest_device = 0;  // its index, when the host's values were changed
  bool operator==(const Pool&) const = default;
};

// Pure: the number that a new pod gets, or nothing when there is none. Numbers go round, since
// neighbours remember for a while who had an address before.
std::optional<uint32_t> next_number(const Pool& pool, uint32_t last);
const PoolPod* find_pod(const Pool& pool, std::string_view name, std::string_view uid);
std::string write_pool(const Pool& pool);
Result<Pool> read_pool(std::string_view text);

// Says that it is made by this process, and with which network namespace, where that is there
// already.
void mark_as_made_here(PoolPod& pod);
// Whether its paths lead to the same files for this process as for who has made it.
bool is_in_sight(const PoolPod& pod);
// Whether its directory (with network.json) and its network namespace are there. Where they need
// not be in sight, since another mount namespace made them, its device says it, which is there for
// as long as the network namespace is. Without a device of ours, processes do: somebody in its
// network namespace, or in that mount namespace, where the pin is.
bool is_alive(const PoolPod& pod);

// The file of a bridge, locked for as long as this lives. A pool that is not there is empty.
class [[nodiscard]] PoolFile {
 public:
  // Makes the directory (0700). Waits for other holders of the lock.
  static Result<PoolFile> open(const std::string& directory, std::string_view bridge);
  Pool pool;
  Result<> save();
  // Removes it, when no pod is left; and the directory with the last pool in it.
  Result<> remove();
  // An error that names both pods when one of these ports is another pod's already, in this pool or
  // another one of the directory.
  Result<> check_ports(std::string_view name, const std::vector<PodPort>& ports) const;
  bool existed() const { return existed_; }

 private:
  Result<bool> lock(const std::string& directory);
  std::string path_;
  UniqueFd directory_;
  UniqueFd lock_;
  std::string name_;
  bool existed_ = false;
};

}  // namespace ocirt::net
