// A pod whose sandbox containerd's CRI plugin leaves to its shim (`sandboxer = "shim"`): what is
// asked for, decided before anything is made. A sandbox by a pause container has these things from
// containerd itself; here they are the shim's:
//
// - the namespaces that the containers join at /proc/PID/ns, PID being the sandbox's;
// - the pod's hosts, hostname and resolv.conf, and its /dev/shm, which containerd mounts into
//   containers from places of its own if they are there.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "src/base/result.h"
#include "src/wire/messages.h"

namespace ocirt::shim {

// The ids of a pod with a user namespace of its own, as lines "INSIDE OUTSIDE SIZE"
// (user_namespaces(7)).
struct CriUsers {
  std::string uid_map, gid_map;
  bool operator==(const CriUsers&) const = default;
};

struct CriPod {
  std::string hostname;  // empty: the host's
  std::string netns;     // made by containerd; empty: none is
  // The network namespace is the shim's to make, in the pod's user namespace.
  bool makes_network = false;
  bool host_ipc = false;
  bool share_pid = false;
  std::string resolv_conf;    // its text; empty: the host's
  std::string cgroup_parent;  // of the containers
  std::vector<std::pair<std::string, std::string>> sysctls;
  std::optional<CriUsers> users;  // none: the host's

  bool own_network() const { return makes_network || !netns.empty(); }
  // As containerd's containers have it.
  bool own_uts() const { return own_network(); }
  // Whether its namespaces need a process: the others are a thread's, which can be in no user
  // namespace but its process's.
  bool has_process() const { return share_pid || users.has_value(); }
  bool operator==(const CriPod&) const = default;
};

// Errors begin with "not supported" for what only a pause container gives.
Result<CriPod> read_cri_pod(const wire::CreateSandboxRequest& request);

// Where containerd looks for a sandbox's files, and what is in its bundle.
struct CriPlaces {
  std::string files;  // directory of hosts, hostname and resolv.conf
  std::string shared_memory_parent, shared_memory;
  std::string own_shared_memory;  // in the bundle: what is bound there
  std::string first_process;      // on record, of a shared pid namespace
  std::string empty;              // a directory for it
};
// `bundle` is STATE/PLUGIN/NAMESPACE/ID; `work`, to which a link in there leads, ROOT/PLUGIN/
// NAMESPACE/ID.
Result<CriPlaces> cri_places(const std::string& bundle, const std::string& work);

}  // namespace ocirt::shim
