// Rules that compare things of a pod with each other: its ports, its volumes and who mounts them.
#include <algorithm>

#include "src/pod/paths.h"
#include "src/podfile/check.h"
#include "src/podfile/quantity.h"

namespace ocirt::podfile {
namespace {

using manifest::Container;
using manifest::ContainerPort;
using manifest::PodSpec;
using manifest::Volume;

// A path that stays inside of whatever it is taken from, and is not that.
bool stays_inside(std::string_view path) {
  if (path.starts_with('/') || clean_path(path) == "/") return false;
  for (std::string_view part : split(path, '/')) {
    if (part == "..") return false;
  }
  return true;
}

// Sorted, there may be thousands: each is another file, and none is the directory of another.
std::optional<Finding> check_item_paths(const std::vector<manifest::KeyToPath>& items,
                                        std::string_view where) {
  std::vector<std::string> sorted;
  sorted.reserve(items.size());
  for (const manifest::KeyToPath& item : items) sorted.push_back(clean_path(item.path));
  std::ranges::sort(sorted);
  std::vector<std::string> seen;
  for (size_t i = 0; i < items.size(); ++i) {
    const std::string path = clean_path(items[i].path);
    const auto same = std::ranges::equal_range(sorted, path);
    bool clashes = false;
    if (same.size() > 1) {
      clashes = std::ranges::find(seen, path) != seen.end();
      seen.push_back(path);
    }
    for (size_t slash = path.rfind('/'); slash != 0 && !clashes; slash = path.rfind('/', slash - 1))
      clashes = std::ranges::binary_search(sorted, path.substr(0, slash));
    if (!clashes) continue;
    return Finding{
        cat(where, ".items[", i, "].path"),
        cat(quoted(items[i].path), " is already the path of another item, or leads over it")};
  }
  return std::nullopt;
}

std::optional<Finding> check_items(const std::vector<manifest::KeyToPath>& items,
                                   const oci::Map<std::string>* data, bool optional,
                                   std::string_view where) {
  for (size_t i = 0; i < items.size(); ++i) {
    if (!stays_inside(items[i].path)) {
      return Finding{cat(where, ".items[", i, "].path"),
                     "must be a relative path, and must not contain \"..\""};
    }
    if (data != nullptr && !optional && data->find(items[i].key) == nullptr) {
      return Finding{cat(where, ".items[", i, "].key"), cat("there is no ", quoted(items[i].key))};
    }
  }
  if (!items.empty()) return check_item_paths(items, where);
  if (data == nullptr) return std::nullopt;
  for (const auto& [key, value] : *data) {
    if (key.contains('/') || !stays_inside(key)) {
      return Finding{std::string(where),
                     cat("the key ", quoted(key), " is no name of a file; use items")};
    }
  }
  return std::nullopt;
}

std::optional<Finding> check_empty_dir(const manifest::EmptyDir& volume, std::string_view where) {
  if (!volume.medium.empty() && volume.medium != "Memory") {
    return Finding{cat(where, ".medium"),
                   cat("expected \"\" or Memory, found ", quoted(volume.medium))};
  }
  if (!volume.size_limit) return std::nullopt;
  if (volume.medium.empty()) {
    return Finding{cat(where, ".sizeLimit"), "not supported but with medium: Memory"};
  }
  const Result<int64_t> bytes = units(*volume.size_limit);
  if (!bytes) return Finding{cat(where, ".sizeLimit"), bytes.error().text};
  if (*bytes == 0) return Finding{cat(where, ".sizeLimit"), "must not be 0"};
  return std::nullopt;
}

std::optional<Finding> check_volume(const File& file, const Volume& volume,
                                    const std::string& where) {
  const size_t sources = static_cast<size_t>(volume.host_path.has_value()) +
                         static_cast<size_t>(volume.empty_dir.has_value()) +
                         static_cast<size_t>(volume.config_map.has_value()) +
                         static_cast<size_t>(volume.secret.has_value());
  if (sources != 1) {
    return Finding{where, cat(sources == 0 ? "needs one of " : "has more than one of ",
                              "hostPath, emptyDir, configMap and secret")};
  }
  if (volume.host_path) {
    const std::string& path = volume.host_path->path;
    if (!path.starts_with('/') || !(path == "/" || stays_inside(path.substr(1)))) {
      return Finding{cat(where, ".hostPath.path"),
                     "must be an absolute path, and must not contain \"..\""};
    }
  }
  if (volume.empty_dir) return check_empty_dir(*volume.empty_dir, cat(where, ".emptyDir"));
  if (volume.config_map) {
    const manifest::ConfigMap* map = file.config_map(volume.config_map->name);
    if (map == nullptr && !volume.config_map->optional) {
      return Finding{
          cat(where, ".configMap.name"),
          cat("there is no ConfigMap ", quoted(volume.config_map->name), " in the file")};
    }
    return check_items(volume.config_map->items, map == nullptr ? nullptr : &map->data,
                       volume.config_map->optional, cat(where, ".configMap"));
  }
  if (volume.secret) {
    const manifest::Secret* secret = file.secret(volume.secret->secret_name);
    if (secret == nullptr && !volume.secret->optional) {
      return Finding{
          cat(where, ".secret.secretName"),
          cat("there is no Secret ", quoted(volume.secret->secret_name), " in the file")};
    }
    return check_items(volume.secret->items, secret == nullptr ? nullptr : &secret->data,
                       volume.secret->optional, cat(where, ".secret"));
  }
  return std::nullopt;
}

std::optional<Finding> check_mounts(const PodSpec& spec, const Container& container,
                                    const std::string& where) {
  const auto& mounts = container.volume_mounts;
  for (size_t i = 0; i < mounts.size(); ++i) {
    const manifest::VolumeMount& mount = mounts[i];
    const std::string place = cat(where, ".volumeMounts[", i, "]");
    const auto volume = std::find_if(spec.volumes.begin(), spec.volumes.end(),
                                     [&](const Volume& v) { return v.name == mount.name; });
    if (volume == spec.volumes.end()) {
      return Finding{cat(place, ".name"), cat("there is no volume ", quoted(mount.name))};
    }
    if (!mount.mount_path.starts_with('/') || clean_path(mount.mount_path) == "/") {
      return Finding{cat(place, ".mountPath"), "must be an absolute path, and not /"};
    }
    for (size_t j = 0; j < i; ++j) {
      if (clean_path(mounts[j].mount_path) == clean_path(mount.mount_path)) {
        return Finding{cat(place, ".mountPath"),
                       cat(quoted(mount.mount_path), " is already where volumeMounts[", j, "] is")};
      }
    }
    if (!mount.sub_path.empty() && !stays_inside(mount.sub_path)) {
      return Finding{cat(place, ".subPath"),
                     "must be a relative path, and must not contain \"..\""};
    }
    const bool privileged =
        container.security_context && container.security_context->privileged.value_or(false);
    if (mount.mount_propagation == manifest::Propagation::kBidirectional && !privileged) {
      return Finding{cat(place, ".mountPropagation"), "Bidirectional needs privileged: true"};
    }
  }
  return std::nullopt;
}

// Who listens where: two of them at the same time cannot.
struct Listener {
  const ContainerPort* port = nullptr;
  const Container* container = nullptr;
  std::string where;
};

std::optional<Finding> check_port_fields(const PodSpec& spec, const Listener& listener) {
  const ContainerPort& port = *listener.port;
  if (port.name.size() > 15 || (!port.name.empty() && !pod::is_dns_label(port.name))) {
    return Finding{cat(listener.where, ".name"),
                   "must be at most 15 of a-z, 0-9 and \"-\", which is not at an end"};
  }
  if (!port.host_ip.empty() && !is_address(port.host_ip)) {
    return Finding{cat(listener.where, ".hostIP"),
                   cat("expected an IP address, found ", quoted(port.host_ip))};
  }
  if (spec.host_network && port.host_port != 0 && port.host_port != port.container_port) {
    return Finding{
        cat(listener.where, ".hostPort"),
        cat("must be ", port.container_port, " as the containerPort: hostNetwork is true")};
  }
  return std::nullopt;
}

std::optional<Finding> compare(const Listener& a, const Listener& b) {
  if (a.container == b.container && !a.port->name.empty() && a.port->name == b.port->name) {
    return Finding{cat(a.where, ".name"), cat(quoted(a.port->name), " is already there")};
  }
  if (a.port->protocol != b.port->protocol) return std::nullopt;
  const std::string_view protocol = oci::to_string(a.port->protocol);
  if (a.port->container_port == b.port->container_port) {
    return Finding{cat(a.where, ".containerPort"),
                   cat(a.port->container_port, "/", protocol, " is already the port of container ",
                       quoted(b.container->name), ": containers of a pod share their ports")};
  }
  const bool same_address = a.port->host_ip == b.port->host_ip || a.port->host_ip.empty() ||
                            b.port->host_ip.empty() || a.port->host_ip == "0.0.0.0" ||
                            b.port->host_ip == "0.0.0.0";
  if (a.port->host_port != 0 && a.port->host_port == b.port->host_port && same_address) {
    return Finding{cat(a.where, ".hostPort"),
                   cat(a.port->host_port, "/", protocol, " is already published by container ",
                       quoted(b.container->name))};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Finding> check_volumes(const File& file) {
  const PodSpec& spec = file.pod.spec;
  for (size_t i = 0; i < spec.volumes.size(); ++i) {
    const Volume& volume = spec.volumes[i];
    const std::string where = cat("spec.volumes[", i, "]");
    if (!pod::is_dns_label(volume.name)) {
      return Finding{cat(where, ".name"), cat(quoted(volume.name), " ", pod::kNameRule)};
    }
    for (size_t j = 0; j < i; ++j) {
      if (spec.volumes[j].name == volume.name) {
        return Finding{cat(where, ".name"),
                       cat(quoted(volume.name), " is already the name of spec.volumes[", j, "]")};
      }
    }
    POD_CHECK(check_volume(file, volume, where));
  }
  for (size_t i = 0; i < container_count(spec); ++i) {
    POD_CHECK(check_mounts(spec, container_at(spec, i), place_of_container(spec, i)));
  }
  return std::nullopt;
}

std::optional<Finding> check_ports(const PodSpec& spec) {
  std::vector<Listener> listeners;
  for (size_t i = 0; i < container_count(spec); ++i) {
    const Container& container = container_at(spec, i);
    // An init container has ended before the next one begins; only sidecars are there all the time.
    const bool ends = i < spec.init_containers.size() && !container.restart_policy;
    const size_t first = listeners.size();
    for (size_t j = 0; j < container.ports.size(); ++j) {
      Listener listener{&container.ports[j], &container,
                        cat(place_of_container(spec, i), ".ports[", j, "]")};
      POD_CHECK(check_port_fields(spec, listener));
      for (const Listener& other : listeners) POD_CHECK(compare(listener, other));
      listeners.push_back(std::move(listener));
    }
    if (ends) listeners.resize(first);
  }
  return std::nullopt;
}

}  // namespace ocirt::podfile
