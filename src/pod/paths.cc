#include "src/pod/paths.h"

#include "src/base/text.h"

namespace ocirt::pod {

std::string pods_root(std::string_view option, std::string_view runtime_directory, bool superuser) {
  if (!option.empty()) return std::string(option);
  if (!superuser && !runtime_directory.empty()) return cat(runtime_directory, "/ocirt/pods");
  return "/run/ocirt/pods";
}

std::string network_pin(std::string_view pod) { return cat("/run/netns/ocirt-", pod); }

Layout::Layout(std::string_view root, std::string_view pod, std::string_view state_root)
    : directory_(cat(root, "/", pod)), state_directory_(cat(state_root, "/", pod)) {}

std::string Layout::removed() const {
  const size_t name = directory_.rfind('/') + 1;
  return cat(directory_.substr(0, name), ".removed-", directory_.substr(name));
}

std::string Layout::in(std::string_view file) const { return cat(directory_, "/", file); }

std::string Layout::pod_json() const { return in("pod.json"); }
std::string Layout::lock() const { return in("lock"); }
std::string Layout::complete() const { return in("complete"); }
std::string Layout::socket() const { return in("shim.sock"); }
std::string Layout::holder() const { return in("holder"); }
std::string Layout::cgroup() const { return in("cgroup"); }
std::string Layout::state_json() const { return in("state.json"); }
std::string Layout::network_json() const { return in("network.json"); }
std::string Layout::hosts() const { return in("hosts"); }
std::string Layout::resolv_conf() const { return in("resolv.conf"); }
std::string Layout::hostname() const { return in("hostname"); }
std::string Layout::events() const { return in("events.jsonl"); }
std::string Layout::runtime_root() const { return in("runtime"); }
std::string Layout::namespaces() const { return in("ns"); }
std::string Layout::logs() const { return in("logs"); }

std::string Layout::namespace_pin(std::string_view type) const { return in(cat("ns/", type)); }
std::string Layout::first_process() const { return in("ns/first"); }
std::string Layout::volume(std::string_view name) const { return in(cat("volumes/", name)); }
std::string Layout::container(std::string_view name) const { return in(cat("containers/", name)); }

std::string Layout::config_json(std::string_view container) const {
  return in(cat("containers/", container, "/config.json"));
}

std::string Layout::input(std::string_view name) const { return cat(container(name), "/stdin"); }

std::string Layout::rootfs(std::string_view container) const {
  return in(cat("containers/", container, "/rootfs"));
}

std::string Layout::log(std::string_view container, uint32_t rotation) const {
  std::string path = in(cat("logs/", container, ".log"));
  return rotation == 0 ? path : cat(path, ".", rotation);
}

std::string Layout::upper(std::string_view container) const {
  return cat(state_directory_, "/", container, "/upper");
}

std::string Layout::work(std::string_view container) const {
  return cat(state_directory_, "/", container, "/work");
}

// No container has a name that begins with a dot.
std::string Layout::on_disk(std::string_view target) const {
  return cat(state_directory_, "/.", target);
}

}  // namespace ocirt::pod
