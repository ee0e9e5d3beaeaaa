// A pod whose sandbox containerd's CRI plugin leaves to its shim (`sandboxer = "shim"`): what is
// asked for, decided before anything is made. A sandbox by a pause container has these things from
// containerd itself; here they are the shim's:
//
// - the namespaces that the containers join at /proc/PID/ns, PID being the sandbox's;
// - the pod's hosts, hostname and resolv.conf, and its /dev/shm, which containerd mounts into
//   containers from places of its own if they are there.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "src/base/result.h"
#include "src/wire/messages.h"

namespace ocirt::shim {

struct CriPod {
  std::string hostname;  // empty: the host's
  std::string netns;     // made by containerd; empty: the host's
  bool host_ipc = false;
  bool share_pid = false;
  std::string resolv_conf;    // its text; empty: the host's
  std::string cgroup_parent;  // of the containers
  std::vector<std::pair<std::string, std::string>> sysctls;

  bool own_uts() const { return !netns.empty(); }
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
