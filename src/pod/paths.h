// The layout of a pod's directory, and the rule for names.
//
// Everything that a pod leaves on disk lies below ROOT/NAME; whoever needs a file of it asks here,
// so that removing a pod and making it agree. The functions only build text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ocirt::pod {

// A DNS label (RFC 1123): at most 63 of a-z, 0-9 and "-", the first and last not "-". Names of pods
// and containers are such, so that they can stand in paths, host names, cgroups and unit names.
constexpr bool is_dns_label(std::string_view name) {
  const auto alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (name.empty() || name.size() > 63) return false;
  if (!alphanumeric(name.front()) || !alphanumeric(name.back())) return false;
  for (char c : name) {
    if (c != '-' && !alphanumeric(c)) return false;
  }
  return true;
}
inline constexpr std::string_view kNameRule =
    "must be 1 to 63 of a-z, 0-9 and \"-\", and neither begin nor end with \"-\"";

// Where the pods are: `option` (--root) where it is given, else below `runtime_directory`
// (XDG_RUNTIME_DIR) for an ordinary user, else /run/ocirt/pods.
std::string pods_root(std::string_view option, std::string_view runtime_directory, bool superuser);

// What must survive on a disk rather than in memory, the upper layers: below /var/lib/ocirt/pods.
inline constexpr std::string_view kStateRoot = "/var/lib/ocirt/pods";

// Whether a name below the root is a Layout::removed(). No pod is called so.
constexpr bool is_removed(std::string_view name) { return name.starts_with(".removed-"); }

// The pin of a pod's network namespace, where `ip netns exec` finds it.
std::string network_pin(std::string_view pod);

class Layout {
 public:
  // `pod` is a DNS label; `state_root` is where the upper layers go.
  Layout(std::string_view root, std::string_view pod, std::string_view state_root = kStateRoot);

  const std::string& directory() const { return directory_; }  // 0700
  std::string removed() const;     // what its directory is called while it is taken away
  std::string pod_json() const;    // write_pod()
  std::string lock() const;        // flock'd by the shim for all of its life
  std::string complete() const;    // exists since CreateSandbox has succeeded
  std::string socket() const;      // ttrpc, 0600
  std::string holder() const;      // who keeps an ordinary user's namespaces: pid and start time
  std::string cgroup() const;      // exists since the pod's cgroup is its own
  std::string state_json() const;  // what a shim that adopts has to know (status.h)
  std::string network_json() const;
  std::string hosts() const;
  std::string resolv_conf() const;
  std::string hostname() const;
  std::string events() const;                              // events.jsonl
  std::string runtime_root() const;                        // --root of ocirt
  std::string namespaces() const;                          // directory of the pins
  std::string namespace_pin(std::string_view type) const;  // ipc, uts, pid; net of ordinary users
  std::string first_process() const;  // of a shared pid namespace: pid and start time
  std::string volume(std::string_view name) const;

  std::string container(std::string_view name) const;  // the bundle that ocirt-pod makes
  std::string config_json(std::string_view container) const;
  std::string input(std::string_view container) const;   // the fifo of one with stdin_open
  std::string rootfs(std::string_view container) const;  // mount point
  std::string logs() const;                              // directory
  std::string log(std::string_view container, uint32_t rotation = 0) const;  // C.log, C.log.1, ...

  // On the disk: STATE_ROOT/NAME, and in it per container the writable layer of its overlay, and
  // the directories of mounts of the type "disk".
  const std::string& state_directory() const { return state_directory_; }
  std::string upper(std::string_view container) const;
  std::string work(std::string_view container) const;
  std::string on_disk(std::string_view target) const;  // of PodMount

 private:
  std::string in(std::string_view file) const;

  std::string directory_;
  std::string state_directory_;
};

}  // namespace ocirt::pod
